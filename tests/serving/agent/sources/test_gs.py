"""No emulator checks who asks, so this one does: it verifies the account's signature as Google would."""

import asyncio
import json
import ssl
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.policy import Policy
from tests.serving.agent.sources.attempt import refused, unavailable
from tests.serving.agent.sources.servers import app_server

SOURCE = "gs://adapters/team/a b"
EMAIL = "agent@project.iam.gserviceaccount.com"


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@dataclass
class Google:
    key: rsa.RSAPublicKey
    artifact: Path
    answer: object = field(default_factory=lambda: {"access_token": "ya29.good", "expires_in": 3599})
    claims: dict[str, object] = field(default_factory=dict)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/token", self._token)
        app.router.add_get("/adapters/team/{folder:a b}/{file}", self._object)
        return app

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        signed, _, signature = str(form["assertion"]).rpartition(".")
        try:
            self.key.verify(_decode(signature), signed.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return web.json_response({"error": "invalid_grant"}, status=401)
        self.claims = json.loads(_decode(signed.partition(".")[2]))
        return web.json_response(self.answer)

    async def _object(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != "Bearer ya29.good":
            raise web.HTTPUnauthorized
        return web.FileResponse(self.artifact / request.match_info["file"])


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@asynccontextmanager
async def _running(
    tls: ssl.SSLContext, artifact: Path, key: rsa.RSAPrivateKey, policy: Policy
) -> AsyncIterator[tuple[Google, Policy, int]]:
    google = Google(key.public_key(), artifact)
    async with app_server(tls, google.app()) as port:
        yield google, replace(policy, gs_endpoint=f"https://localhost:{port}"), port


def _account(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, port: int, **changes: object) -> dict[str, str]:
    document = {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key": _pem(key),
        "token_uri": f"https://localhost:{port}/token",
    }
    return {"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(document | changes, indent=2) + "\n"}


async def test_a_service_account_proves_itself_and_fetches(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, key: rsa.RSAPrivateKey, fetched: Callable[[], bool]
) -> None:
    async with _running(tls, artifact, key, policy) as (google, there, port):
        await Fetcher(there).fetch(SOURCE, into, _account(key, port))
    assert fetched()
    assert google.claims["iss"] == EMAIL
    assert google.claims["aud"] == f"https://localhost:{port}/token"
    assert google.claims["scope"] == "https://www.googleapis.com/auth/devstorage.read_only"


async def test_the_key_of_another_account_is_refused(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, key: rsa.RSAPrivateKey
) -> None:
    other = await asyncio.to_thread(rsa.generate_private_key, 65537, 2048)
    async with _running(tls, artifact, key, policy) as (_, there, port):
        error = await refused(there, SOURCE, into, _account(other, port))
    assert error.reason == "AccessDenied"
    assert "GOOGLE_SERVICE_ACCOUNT_KEY was given" in error.message


async def test_a_private_bucket_without_a_key_is_refused(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, key: rsa.RSAPrivateKey
) -> None:
    async with _running(tls, artifact, key, policy) as (_, there, _):
        error = await refused(there, SOURCE, into)
    assert error.reason == "AccessDenied"
    assert "no GOOGLE_SERVICE_ACCOUNT_KEY was given" in error.message


@pytest.mark.parametrize(
    "answer", [{}, [], {"access_token": 7}, {"access_token": "a\r\nb"}, {"access_token": "a" * 20_000}]
)
async def test_an_answer_without_a_token_is_tried_again(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, key: rsa.RSAPrivateKey, answer: object
) -> None:
    async with _running(tls, artifact, key, policy) as (google, there, port):
        google.answer = answer
        assert (await unavailable(there, SOURCE, into, _account(key, port))).reason == "AnswerInvalid"


async def test_a_document_that_is_no_key_is_refused_without_being_quoted(policy: Policy, into: Path) -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1())
    documents = [
        {"GOOGLE_SERVICE_ACCOUNT_KEY": text}
        for text in ("hidden-text", "{}", "[" * 100_000, '{"private_key": "hidden-text"}')
    ]
    for credentials in [*documents, _account(elliptic, 9), _account(elliptic, 9, private_key="hidden-text")]:
        error = await refused(policy, SOURCE, into, credentials)
        assert error.reason == "CredentialInvalid"
        assert "hidden-text" not in error.message
