"""s3://BUCKET/DIRECTORY: GET requests signed with AWS Signature Version 4 (pure).

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from yarl import URL

from serving.agent.errors import RefusedError
from serving.agent.sources.credentials import Credentials
from serving.agent.sources.download import Remote
from serving.agent.sources.request import Access, Request
from serving.agent.sources.uri import BucketSource
from serving.agent.verify import FILES

_REGION = re.compile(r"[a-z0-9-]{1,64}")
_ALGORITHM = "AWS4-HMAC-SHA256"
_EMPTY = hashlib.sha256(b"").hexdigest()
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class Identity:
    key: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    region: str


def remotes(source: BucketSource, credentials: Credentials, now: datetime) -> dict[str, Remote]:
    """Without keys the requests are anonymous. `now` is in UTC. Raises RefusedError for half a pair of keys."""
    access = Access.of(credentials, *_KEYS)
    identity = _identity(credentials)
    endpoint = credentials.get("AWS_ENDPOINT_URL") or f"https://s3.{identity.region}.amazonaws.com"
    urls = {file: object_url(endpoint, source, file) for file in FILES}
    return {file: Remote(Request(url, signed(url, identity, now), access)) for file, url in urls.items()}


def object_url(endpoint: str, source: BucketSource, file: str) -> URL:
    """Path style, which every S3 speaks; encoded once, as the signature has it."""
    path = quote(f"{source.bucket}/{source.key(file)}", safe="/-._~")
    try:
        return URL(f"{endpoint.rstrip('/')}/{path}", encoded=True)
    except ValueError as error:
        raise RefusedError(
            "CredentialInvalid", "AWS_ENDPOINT_URL is no URL of a host; write https://HOST in the credentials"
        ) from error


def signed(url: URL, identity: Identity, now: datetime) -> dict[str, str]:
    """The headers that prove a GET without a body."""
    if not identity.key:
        return {}
    time = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": url.host_port_subcomponent or "", "x-amz-content-sha256": _EMPTY, "x-amz-date": time}
    if identity.token:
        headers["x-amz-security-token"] = identity.token
    return headers | {"Authorization": authorization(url.raw_path, headers, identity)}


def authorization(path: str, headers: dict[str, str], identity: Identity) -> str:
    """Over `headers`, names in lower case, with the time and the body's digest among them."""
    names = ";".join(sorted(headers))
    lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
    canonical = "\n".join(["GET", path, "", *lines, "", names, headers["x-amz-content-sha256"]])
    time = headers["x-amz-date"]
    scope = f"{time[:8]}/{identity.region}/s3/aws4_request"
    text = "\n".join([_ALGORITHM, time, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(_signing_key(identity.secret, scope), text.encode(), hashlib.sha256).hexdigest()
    return f"{_ALGORITHM} Credential={identity.key}/{scope},SignedHeaders={names},Signature={signature}"


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _identity(credentials: Credentials) -> Identity:
    key, secret, token = (credentials.get(name) for name in _KEYS)
    if bool(key) != bool(secret):
        raise RefusedError(
            "CredentialInvalid", f"of {_KEYS[0]} and {_KEYS[1]} only one is given; give both in the credentials"
        )
    region = credentials.get("AWS_REGION") or "us-east-1"
    if not _REGION.fullmatch(region):
        raise RefusedError("CredentialInvalid", "AWS_REGION is no name of a region; correct it in the credentials")
    return Identity(key, secret, token, region)
