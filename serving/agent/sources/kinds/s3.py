"""s3://BUCKET/DIRECTORY: GET requests signed by botocore (AWS Signature Version 4), and sent by our own client."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from yarl import URL

from serving.agent.errors import RefusedError
from serving.agent.sources import workload
from serving.agent.sources.bucket import BucketSource
from serving.agent.sources.credentials import Credentials
from serving.agent.sources.download import Remote
from serving.agent.sources.http import Client
from serving.agent.sources.kind import Fetch
from serving.agent.sources.request import Access, Request

_REGION = re.compile(r"[a-z0-9-]{1,64}")
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class S3Source(BucketSource):
    schemes = ("s3",)
    forms = ("s3://BUCKET/DIRECTORY",)

    async def own_credentials(self, client: Client, fetch: Fetch) -> Credentials:
        return await workload.aws(client, fetch.policy.workload)

    async def remotes(self, client: Client, fetch: Fetch) -> dict[str, Remote]:
        """Without keys the requests are anonymous. Raises RefusedError if only one of the two keys is given."""
        credentials = (await self.with_own_credentials(client, fetch)).credentials
        access, region, keys = Access.of(credentials, *_KEYS), _region(credentials), _keys(credentials)
        endpoint = credentials.get("AWS_ENDPOINT_URL") or f"https://s3.{region}.amazonaws.com"
        urls = {file: self.url(endpoint, file) for file in fetch.parts}
        return {file: Remote(Request(url, signed(url, keys, region), access)) for file, url in urls.items()}

    def url(self, endpoint: str, file: str) -> URL:
        """A path-style URL, which every S3 server accepts; encoded once, as in the signature."""
        path = quote(f"{self.bucket}/{self.key(file)}", safe="/-._~")
        try:
            return URL(f"{endpoint.rstrip('/')}/{path}", encoded=True)
        except ValueError as error:
            raise RefusedError(
                "CredentialInvalid", "AWS_ENDPOINT_URL is not the URL of a host; write https://HOST in the credentials"
            ) from error


def signed(url: URL, keys: Keys | None, region: str) -> dict[str, str]:
    """The headers that sign a GET request without a body; none without keys."""
    if keys is None:
        return {}
    request = AWSRequest("GET", str(url), headers={"host": url.host_port_subcomponent or ""})
    S3SigV4Auth(keys, "s3", region).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


def _keys(credentials: Credentials) -> Keys | None:
    key, secret, token = (credentials.get(name) for name in _KEYS)
    if bool(key) != bool(secret):
        raise RefusedError(
            "CredentialInvalid", f"of {_KEYS[0]} and {_KEYS[1]} only one is given; give both in the credentials"
        )
    return Keys(key, secret, token or None) if key else None


def _region(credentials: Credentials) -> str:
    region = credentials.get("AWS_REGION") or "us-east-1"
    if not _REGION.fullmatch(region):
        raise RefusedError("CredentialInvalid", "AWS_REGION is not the name of a region; correct it in the credentials")
    return region
