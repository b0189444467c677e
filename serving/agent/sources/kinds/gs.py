"""gs://BUCKET/DIRECTORY: Google Cloud Storage, as a service account (RFC 7523) or anonymously."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import quote, urlencode

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from yarl import URL

from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.sources import workload
from serving.agent.sources.bucket import BucketSource
from serving.agent.sources.credentials import Credentials
from serving.agent.sources.download import Remote
from serving.agent.sources.http import Client
from serving.agent.sources.identity import ACCESS_TOKEN
from serving.agent.sources.kind import Fetch
from serving.agent.sources.request import Access, Request

_KEY = "GOOGLE_SERVICE_ACCOUNT_KEY"
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME_S = 3600
_MAX_TOKEN = 16_384


@dataclass(frozen=True)
class ServiceAccount:
    email: str
    token_url: URL
    key: RSAPrivateKey = field(repr=False)


@dataclass(frozen=True)
class GsSource(BucketSource):
    schemes = ("gs",)
    forms = ("gs://BUCKET/DIRECTORY",)

    async def own_credentials(self, client: Client, fetch: Fetch) -> Credentials:
        """Uses a client without address limits: artifacts may not come from the metadata server's address."""
        policy = replace(fetch.policy, allow_private=True, proxy=None)
        async with Client(policy, fetch.tls, client.name) as inside:
            return await workload.google(inside, fetch.policy.workload)

    async def remotes(self, client: Client, fetch: Fetch) -> dict[str, Remote]:
        """Without a key the requests are anonymous."""
        credentials = (await self.with_own_credentials(client, fetch)).credentials
        access, document = Access.of(credentials, _KEY), credentials.document(_KEY)
        headers = {}
        if token := credentials.get(ACCESS_TOKEN):
            headers["Authorization"] = f"Bearer {token}"
        elif document:
            headers["Authorization"] = f"Bearer {await _token(client, service_account(document), access, fetch.now)}"
        base = f"{fetch.policy.gs_endpoint.rstrip('/')}/{self.bucket}"
        urls = {file: URL(f"{base}/{quote(self.key(file), safe='/-._~')}", encoded=True) for file in fetch.parts}
        return {file: Remote(Request(url, headers, access)) for file, url in urls.items()}


def service_account(document: str) -> ServiceAccount:
    """From Google's JSON key. Raises RefusedError."""
    try:
        match json.loads(document):
            case {"client_email": str(email), "private_key": str(pem), "token_uri": str(token_url)}:
                key = load_pem_private_key(pem.encode(), password=None)
                if isinstance(key, RSAPrivateKey):
                    return ServiceAccount(email, URL(token_url), key)
    except (ValueError, TypeError, RecursionError, UnsupportedAlgorithm):
        pass  # the reason is not reported: it may quote the key
    raise RefusedError(
        "CredentialInvalid",
        f"{_KEY} is not the JSON key of a service account (client_email, private_key, token_uri); correct the secret",
    )


def assertion(account: ServiceAccount, now: datetime) -> str:
    """A JWT that the account signed, valid for _LIFETIME_S."""
    issued = int(now.timestamp())
    claims = {
        "iss": account.email,
        "scope": _SCOPE,
        "aud": str(account.token_url),
        "iat": issued,
        "exp": issued + _LIFETIME_S,
    }
    return jwt.encode(claims, account.key, algorithm="RS256")


async def _token(client: Client, account: ServiceAccount, access: Access, now: datetime) -> str:
    form = urlencode({"grant_type": _GRANT, "assertion": assertion(account, now)}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    _, body = await client.document(Request(account.token_url, headers, access, form))
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    match answer:
        case {"access_token": str(token)} if token.isprintable() and len(token) <= _MAX_TOKEN:
            return token
    raise UnavailableError("AnswerInvalid", f"{client.name}: Google answers without a token; it is tried again")
