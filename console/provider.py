"""Sign-in by an OpenID Connect provider: the authorisation code flow with PKCE (RFC 7636).

What a sign-in begins with is in a signed cookie of the browser, so it may end at another replica, and in no other
browser.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt

COOKIE = "__Host-sign-in"
LIFE = timedelta(minutes=10)
_ALGORITHM = "HS256"
_ANSWER_S = 10.0


class ProviderError(Exception):
    """The provider did not answer as it should, or the sign-in is not this browser's."""


@dataclass(frozen=True)
class Begun:
    """A begun sign-in: the provider's page for the browser, and the browser's cookie."""

    url: str
    cookie: str


@dataclass(frozen=True)
class Ended:
    """An ended sign-in, for the management API to verify, and the page to open then."""

    id_token: str
    nonce: str
    next: str


class Provider:
    """The first of the `secrets` signs the cookie, all are accepted; all replicas have the same. The provider has the
    `return_url`."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        secrets: Sequence[str],
        scopes: str,
        return_url: str,
    ) -> None:
        self._http, self._issuer = http, issuer
        self._client_id, self._client_secret = client_id, client_secret
        self._secrets, self._scopes, self._return_url = secrets, scopes, return_url
        self._configuration: Mapping[str, Any] | None = None

    async def begin(self, target: str) -> Begun:
        """Raises ProviderError."""
        configuration = await self._discovered()
        state, nonce, verifier = (token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._return_url,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        claims = {"exp": datetime.now(UTC) + LIFE, "state": state, "nonce": nonce, "verifier": verifier, "next": target}
        endpoint = str(configuration["authorization_endpoint"])
        mark = "&" if "?" in endpoint else "?"
        return Begun(f"{endpoint}{mark}{urlencode(asked)}", jwt.encode(claims, self._secrets[0], _ALGORITHM))

    async def end(self, cookie: str, state: str, code: str) -> Ended:
        """Raises ProviderError."""
        begun = next((each for secret in self._secrets if (each := _read(cookie, secret))), None)
        if begun is None:
            raise ProviderError("the sign-in took too long, or began in another browser")
        if not hmac.compare_digest(str(begun["state"]).encode(), state.encode()):
            raise ProviderError("the answer belongs to another sign-in")
        return Ended(await self._token(code, str(begun["verifier"])), str(begun["nonce"]), str(begun["next"]))

    async def _token(self, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._return_url,
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code_verifier": verifier,
        }
        endpoint = str((await self._discovered())["token_endpoint"])
        token = (await self._json("POST", endpoint, {name: value for name, value in form.items() if value})).get(
            "id_token"
        )
        if not isinstance(token, str):
            raise ProviderError("the provider gave no ID token")
        return token

    async def _discovered(self) -> Mapping[str, Any]:
        if self._configuration is None:
            url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            configuration = await self._json("GET", url)
            if not {"authorization_endpoint", "token_endpoint"} <= configuration.keys():
                raise ProviderError(f"{url} names no endpoints")
            self._configuration = configuration
        return self._configuration

    async def _json(self, method: str, url: str, form: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
        try:
            async with self._http.request(method, url, data=form, timeout=timeout, allow_redirects=False) as answer:
                answer.raise_for_status()
                value = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ProviderError(f"{url} does not answer: {error}") from error
        if not isinstance(value, dict):
            raise ProviderError(f"{url} does not answer with an object")
        return value


def _read(cookie: str, secret: str) -> Mapping[str, Any] | None:
    try:
        claims: Mapping[str, Any] = jwt.decode(cookie, secret, [_ALGORITHM], options={"require": ["exp", "state"]})
    except jwt.InvalidTokenError:
        return None
    return claims


def challenge(verifier: str) -> str:
    """The SHA-256 of the verifier, as S256 has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
