"""Sign-in by a provider: from the console to the provider and back, with a real management API behind."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from console import provider as console_provider
from tests.console.oidc_provider import OidcProvider, provider
from tests.console.running import Browser, console_with


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Browser, OidcProvider]]:
    console = socket.create_server(("127.0.0.1", 0))
    async with provider() as issuer, console_with(issuer.url, tmp_path, console) as browser:
        yield browser, issuer


async def _signed_in(browser: Browser, target: str = "/adapters") -> tuple[int, str, str]:
    """The console's answer to who comes back from the provider."""
    _, there, _ = await browser.get(f"/sign-in/provider?next={target}")
    _, back, _ = await browser.get(there)
    return await browser.get(back)


async def test_a_person_signs_in_and_is_where_it_wanted_to_be(running: tuple[Browser, OidcProvider]) -> None:
    browser, _ = running
    status, where, _ = await _signed_in(browser)
    assert (status, where) == (303, "/adapters")
    assert set(browser.cookies) == {"__Host-session"}
    status, _, text = await browser.get("/adapters")
    assert (status, "acme" in text) == (200, True)


async def test_a_sign_in_ends_in_the_browser_that_it_began_in(running: tuple[Browser, OidcProvider]) -> None:
    browser, _ = running
    _, there, _ = await browser.get("/sign-in/provider")
    _, back, _ = await browser.get(there)
    began = dict(browser.cookies)
    browser.cookies = {}
    assert (await browser.get(back))[0] == 502
    browser.cookies = began
    assert (await browser.get(back.replace("state=", "state=x")))[0] == 502
    assert "__Host-session" not in browser.cookies


async def test_only_the_console_brings_sign_ins_of_the_provider(running: tuple[Browser, OidcProvider]) -> None:
    browser, issuer = running
    body = {"id_token": issuer.token("n"), "nonce": "n"}
    async with aiohttp.ClientSession() as http, http.post(f"{browser.management}/v1/sessions", json=body) as answer:
        assert answer.status == 403


async def test_a_code_is_good_once(running: tuple[Browser, OidcProvider]) -> None:
    browser, _ = running
    _, there, _ = await browser.get("/sign-in/provider")
    _, back, _ = await browser.get(there)
    began = dict(browser.cookies)
    assert (await browser.get(back))[0] == 303
    browser.cookies = began
    assert (await browser.get(back))[0] == 502


async def test_a_sign_in_that_takes_too_long_begins_again(
    running: tuple[Browser, OidcProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, _ = running
    monkeypatch.setattr(console_provider, "LIFE", -console_provider.LIFE)
    assert (await _signed_in(browser))[0] == 502


@pytest.mark.parametrize(("claims", "status"), [
    ({"quiver-role": None}, 403), ({"nonce": "other"}, 401), ({"quiver-tenant": "nobody"}, 303),
])  # fmt: skip
async def test_who_is_not_let_in_is_told(
    running: tuple[Browser, OidcProvider], claims: dict[str, Any], status: int
) -> None:
    browser, issuer = running
    issuer.changed = claims
    assert (await _signed_in(browser))[0] == status
    assert (await browser.get("/adapters"))[0] == 401  # not even a person of a tenant that does not exist


async def test_a_sign_in_leads_to_no_other_site(running: tuple[Browser, OidcProvider]) -> None:
    browser, _ = running
    assert (await _signed_in(browser, "//evil.example"))[1] == "/documents"


async def test_the_page_offers_the_provider(running: tuple[Browser, OidcProvider]) -> None:
    browser, _ = running
    assert "/sign-in/provider?next=/ask" in (await browser.get("/sign-in?next=/ask"))[2]


@pytest.mark.parametrize("days", ["1e2", "30 days", "-5", "0"])
async def test_a_key_without_a_valid_expiry_is_not_made(running: tuple[Browser, OidcProvider], days: str) -> None:
    browser, issuer = running
    issuer.changed = {"quiver-role": "admin"}
    await _signed_in(browser)
    status, text = await browser.post("/keys", {"name": "new", "scopes": "inference", "days": days})
    assert (status, "qv-acme" in text) == (422, False)
