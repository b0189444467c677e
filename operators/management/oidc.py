"""Verifies ID tokens of an OpenID Connect provider, and reads the identity from their claims.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

import hmac
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt

from contract.api_key import Scope
from operators.management.errors import ForbiddenError
from operators.management.identity import ALL_SCOPES, Identity
from service.errors import UnauthorizedError, UnavailableError

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "ES256", "EdDSA", "RS384", "RS512", "ES384", "ES512", "PS256")
LEEWAY_S = 30
REFETCH_S = 60.0  # keys are fetched again for an unknown one, at most so often
_ANSWER_S = 10.0
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
_ROLES: Mapping[str, frozenset[Scope]] = {
    "reader": frozenset({"inference"}),
    "editor": frozenset({"inference", "documents"}),
    "admin": ALL_SCOPES,
}


@dataclass(frozen=True)
class Claims:
    """The names of the claims for a person's tenant and role: `reader`, `editor`, `admin` or `platform`. Without a
    role the person's `groups` count, if there is a claim of them: `quiver:TENANT:ROLE` and `quiver:platform`."""

    tenant: str
    role: str
    groups: str


class IdTokens:
    def __init__(self, http: aiohttp.ClientSession, issuer: str, client_id: str, claims: Claims) -> None:
        self._http, self._issuer, self._client_id, self._claims = http, issuer, client_id, claims
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched = float("-inf")

    async def identity(self, token: str, nonce: str) -> Identity:
        """Raises UnauthorizedError for an invalid token, and ForbiddenError for one without a role."""
        claims = await self._verified(token)
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise UnauthorizedError("The sign-in belongs to another one: begin again.")
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._client_id:
            raise UnauthorizedError("The sign-in is for another application: begin again.")
        return identity_of(claims, self._claims)

    async def _verified(self, token: str) -> Mapping[str, Any]:
        try:
            key = await self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims: Mapping[str, Any] = jwt.decode(
                token, key, list(ALGORITHMS), audience=self._client_id, issuer=self._issuer, leeway=LEEWAY_S,
                options={"require": _REQUIRED},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            logger.warning("an ID token of %s is refused: %s", self._issuer, error)
            raise UnauthorizedError("The provider's sign-in does not hold: begin again.") from error
        return claims

    async def _key(self, kid: str) -> jwt.PyJWK:
        """Raises UnauthorizedError for an unknown key, and UnavailableError."""
        if kid not in self._keys and time.monotonic() - self._fetched > REFETCH_S:
            await self._fetch()
        if kid not in self._keys:
            raise UnauthorizedError("The provider's sign-in is signed by an unknown key: begin again.")
        return self._keys[kid]

    async def _fetch(self) -> None:
        configuration = await self._json(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if configuration.get("issuer") != self._issuer:
            raise UnavailableError("The provider of sign-ins names another issuer than its own: check oidc.issuer.")
        keys = await self._json(str(configuration.get("jwks_uri", "")))
        self._keys = {key.key_id or "": key for key in jwt.PyJWKSet.from_dict(dict(keys)).keys}
        self._fetched = time.monotonic()

    async def _json(self, url: str) -> Mapping[str, Any]:
        try:
            async with self._http.get(url, timeout=aiohttp.ClientTimeout(total=_ANSWER_S)) as answer:
                answer.raise_for_status()
                value = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            logger.warning("%s does not answer: %s", url, error)
            raise UnavailableError("The provider of sign-ins does not answer: try again in a moment.") from error
        if not isinstance(value, dict):
            raise UnavailableError("The provider of sign-ins does not answer with an object: check oidc.issuer.")
        return value


def identity_of(claims: Mapping[str, Any], names: Claims) -> Identity:
    """Raises ForbiddenError for a person without a role or a tenant."""
    actor = _named(claims)
    role, tenant = claims.get(names.role), claims.get(names.tenant)
    if role is None:
        role, tenant = _of_groups(actor, claims.get(names.groups) if names.groups else None)
    if role == "platform":
        return Identity(actor, None, frozenset())
    if not isinstance(role, str) or role not in _ROLES or not isinstance(tenant, str) or not tenant:
        raise ForbiddenError(
            f"{actor} has no role here: the provider must give the claims {names.tenant} (a tenant) and {names.role} "
            f"(reader, editor, admin or platform){_or_group(names)}. Ask your administrator."
        )
    return Identity(actor, tenant, _ROLES[role])


def _of_groups(actor: str, groups: object) -> tuple[str | None, str | None]:
    """The role and the tenant; the widest role of several. Raises ForbiddenError for several tenants."""
    listed = groups if isinstance(groups, list) else []
    named = [group.removeprefix("/").split(":") for group in listed if isinstance(group, str)]  # Keycloak's paths
    if ["quiver", "platform"] in named:
        return "platform", None
    roles = {(tenant, role) for kind, tenant, role in filter(_is_ours, named) if role in _ROLES}
    tenants = sorted({tenant for tenant, _ in roles})
    if len(tenants) > 1:
        raise ForbiddenError(
            f"{actor} is in groups of several tenants ({', '.join(tenants)}), and a sign-in is for one: leave others."
        )
    widest = max((role for _, role in roles), key=lambda role: len(_ROLES[role]), default=None)
    return widest, tenants[0] if tenants else None


def _or_group(names: Claims) -> str:
    return f", or a group quiver:TENANT:ROLE in {names.groups}" if names.groups else ""


def _is_ours(parts: list[str]) -> bool:
    return len(parts) == 3 and parts[0] == "quiver"


def _named(claims: Mapping[str, Any]) -> str:
    """For the record: only `sub` is nobody else's, and not the person's own choice."""
    email = claims.get("email") if claims.get("email_verified") is True else None
    return f"{str(email)[:150]} ({str(claims['sub'])[:90]})" if email else f"person {str(claims['sub'])[:90]}"


@asynccontextmanager
async def connected(issuer: str, client_id: str, claims: Claims) -> AsyncIterator[IdTokens | None]:
    """None without an issuer."""
    if not issuer:
        yield None
        return
    async with aiohttp.ClientSession() as http:
        yield IdTokens(http, issuer, client_id, claims)
