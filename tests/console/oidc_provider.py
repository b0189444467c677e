"""An OpenID Connect provider for tests: authorisation code with PKCE, and faults on demand.

Whoever is sent to it is signed in at once.
"""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from console.provider import challenge

CLIENT, SECRET = "quiver", "the client's secret"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class OidcProvider:
    """`claims` are the person's; `changed` is put over the claims of the next token, `algorithm` signs it."""

    claims: dict[str, Any] = field(default_factory=lambda: {"quiver-tenant": "acme", "quiver-role": "editor"})
    changed: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    url: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=new_key)
    kid: str = "1"
    jwks_read: int = 0
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rotate(self) -> None:
        self.key, self.kid = new_key(), str(int(self.kid) + 1)

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "sub": "u1", "aud": CLIENT, "exp": now + 60, "iat": now, "nonce": nonce,
                  "email": "mina@acme.example", "email_verified": True, **self.claims, **self.changed}  # fmt: skip
        key: Any = self.key if self.algorithm.startswith("RS") else "" if self.algorithm == "none" else "k" * 64
        return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, self.algorithm,
                          headers={"kid": self.kid})  # fmt: skip

    async def configuration(self, _request: web.Request) -> web.Response:
        return web.json_response({"issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
                                  "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys"})  # fmt: skip

    async def keys(self, _request: web.Request) -> web.Response:
        self.jwks_read += 1
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return web.json_response({"keys": [{**public, "kid": self.kid, "use": "sig", "alg": "RS256"}]})

    async def authorize(self, request: web.Request) -> web.Response:
        query = request.query
        assert (query["response_type"], query["client_id"], query["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_hex(8)
        self._codes[code] = dict(query)
        raise web.HTTPFound(f"{query['redirect_uri']}?code={code}&state={query['state']}")

    async def give(self, request: web.Request) -> web.Response:
        """A code is good once, with the verifier of its challenge."""
        form = await request.post()
        asked = self._codes.pop(str(form["code"]), None)
        proves = asked and challenge(str(form["code_verifier"])) == asked["code_challenge"]
        if not proves or form["client_secret"] != SECRET or form["redirect_uri"] != (asked or {})["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"id_token": self.token((asked or {})["nonce"]), "token_type": "Bearer"})


@asynccontextmanager
async def provider() -> AsyncIterator[OidcProvider]:
    made = OidcProvider()
    app = web.Application()
    app.add_routes([
        web.get("/.well-known/openid-configuration", made.configuration), web.get("/keys", made.keys),
        web.get("/authorize", made.authorize), web.post("/token", made.give),
    ])  # fmt: skip
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()
