"""ID tokens of a provider: who they are, and which do not hold."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from operators.management import oidc
from operators.management.errors import ForbiddenError
from operators.management.identity import ALL_SCOPES, Identity
from operators.management.oidc import Claims, IdTokens
from service.errors import UnauthorizedError, UnavailableError
from tests.console.oidc_provider import CLIENT, OidcProvider, provider

NAMES = Claims("quiver-tenant", "quiver-role", "groups")

# Without claims of Quiver's own.
GROUPS: dict[str, Any] = {"quiver-tenant": None, "quiver-role": None}


@pytest.fixture
async def issuer() -> AsyncIterator[OidcProvider]:
    async with provider() as made:
        yield made


@pytest.fixture
async def tokens(issuer: OidcProvider) -> AsyncIterator[IdTokens]:
    async with aiohttp.ClientSession() as http:
        yield IdTokens(http, issuer.url, CLIENT, NAMES)


@pytest.mark.parametrize(("claims", "identity"), [
    ({"quiver-role": "reader"}, Identity("mina@acme.example (u1)", "acme", frozenset({"inference"}))),
    ({"quiver-role": "editor"}, Identity("mina@acme.example (u1)", "acme", frozenset({"inference", "documents"}))),
    ({"quiver-role": "admin", "email_verified": False}, Identity("person u1", "acme", ALL_SCOPES)),
    ({"quiver-role": "platform"}, Identity("mina@acme.example (u1)", None, frozenset())),
    ({**GROUPS, "groups": ["staff", "quiver:acme:reader", "quiver:acme:editor", "quiver:acme:owner"]},
     Identity("mina@acme.example (u1)", "acme", frozenset({"inference", "documents"}))),
    ({**GROUPS, "groups": ["quiver:acme:reader", "quiver:platform"]},
     Identity("mina@acme.example (u1)", None, frozenset())),
    ({"quiver-role": "reader", "groups": ["quiver:platform"]},
     Identity("mina@acme.example (u1)", "acme", frozenset({"inference"}))),
])  # fmt: skip
async def test_claims_say_who_somebody_is(
    issuer: OidcProvider, tokens: IdTokens, claims: dict[str, Any], identity: Identity
) -> None:
    issuer.changed = claims
    assert await tokens.identity(issuer.token("n"), "n") == identity


@pytest.mark.parametrize("claims", [{"quiver-role": "owner"}, {"quiver-role": None}, {"quiver-tenant": None},
                                    {"quiver-role": ["admin"]},
                                    {"quiver-tenant": ["acme"]},
                                    {**GROUPS, "groups": ["quiver:acme", "quiver:acme:owner", "acme:admin", 7]},
                                    {**GROUPS, "groups": "quiver:acme:admin"}])  # fmt: skip
async def test_who_has_no_role_or_no_tenant_is_not_let_in(
    issuer: OidcProvider, tokens: IdTokens, claims: dict[str, Any]
) -> None:
    issuer.changed = claims
    with pytest.raises(ForbiddenError, match="quiver-role"):
        await tokens.identity(issuer.token("n"), "n")


async def test_a_sign_in_is_for_one_tenant(issuer: OidcProvider, tokens: IdTokens) -> None:
    issuer.changed = {**GROUPS, "groups": ["quiver:globex:reader", "quiver:acme:admin"]}
    with pytest.raises(ForbiddenError, match="several tenants \\(acme, globex\\)"):
        await tokens.identity(issuer.token("n"), "n")


@pytest.mark.parametrize("claims", [
    {"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1}, {"nonce": "other"}, {"nonce": None},
    {"aud": [CLIENT, "another"]}, {"aud": [CLIENT, "another"], "azp": "another"}, {"exp": None},
])  # fmt: skip
async def test_tokens_for_others_do_not_hold(issuer: OidcProvider, tokens: IdTokens, claims: dict[str, Any]) -> None:
    issuer.changed = claims
    with pytest.raises(UnauthorizedError):
        await tokens.identity(issuer.token("n"), "n")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_tokens_without_the_providers_signature_do_not_hold(
    issuer: OidcProvider, tokens: IdTokens, algorithm: str
) -> None:
    issuer.algorithm = algorithm
    with pytest.raises(UnauthorizedError):
        await tokens.identity(issuer.token("n"), "n")


async def test_rotated_keys_are_fetched_and_unknown_ones_not_each_time(
    issuer: OidcProvider, tokens: IdTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tokens.identity(issuer.token("n"), "n")
    issuer.rotate()
    with pytest.raises(UnauthorizedError, match="unknown key"):
        await tokens.identity(issuer.token("n"), "n")
    assert issuer.jwks_read == 1
    monkeypatch.setattr(oidc, "REFETCH_S", 0.0)
    await tokens.identity(issuer.token("n"), "n")
    assert issuer.jwks_read == 2


async def test_a_provider_that_is_away_is_said() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(UnavailableError, match="try again"):
            await IdTokens(http, "http://127.0.0.1:9", CLIENT, NAMES).identity(OidcProvider(url="x").token("n"), "n")
