"""Sign-in by a provider: from the console to the provider and back, with a real management API behind."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn
from pydantic import SecretStr

from console import provider as console_provider
from console.app import create_app as create_console
from console.settings import Settings
from contract.objects import collect
from contract.snapshot import Snapshot
from operators.local import snapshots
from operators.local.directory import STATE
from operators.management.app import create_app as create_management
from operators.settings import ManagementSettings
from tests.console.oidc_provider import CLIENT, SECRET, OidcProvider, provider
from tests.operators import objects

TOKEN, OLD = "t" * 48, "o" * 48  # while it is replaced


@asynccontextmanager
async def _serving(app: Any, bound: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    task = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await task


class Browser:
    """Keeps cookies, also secure ones, as browsers do on localhost; follows nothing by itself."""

    def __init__(self, http: aiohttp.ClientSession, url: str, management: str) -> None:
        self.management = management
        self.url, self._http, self.cookies = url, http, dict[str, str]()

    async def get(self, url: str) -> tuple[int, str, str]:
        """The status, where to, and the text."""
        own = url.startswith(("/", self.url))
        where = self.url + url if url.startswith("/") else url
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items()) if own else ""
        async with self._http.get(
            where, headers={"cookie": cookies} if cookies else {}, allow_redirects=False
        ) as answer:
            for morsel in answer.cookies.values() if own else ():
                self.cookies.pop(morsel.key, None)
                if morsel["max-age"] != "0":
                    self.cookies[morsel.key] = morsel.value
            return answer.status, answer.headers.get("location", ""), await answer.text()

    async def post(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        """The status and the text, as of a form of the console's own page."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"cookie": cookies, "sec-fetch-site": "same-origin"}
        async with self._http.post(self.url + path, data=form, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Browser, OidcProvider]]:
    (tmp_path / STATE).mkdir()
    items = collect((objects.base_model(), objects.tenant("acme"), objects.tenant("globex")))
    await asyncio.to_thread(snapshots.write, tmp_path / STATE / "snapshot.json", Snapshot(objects=items))
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    management, console = (f"http://127.0.0.1:{bound.getsockname()[1]}" for bound in sockets)
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(provider())
        database = f"sqlite:///{tmp_path}/management.db"
        tokens = SecretStr(f"{TOKEN},{OLD}")
        settings = ManagementSettings(
            directory=tmp_path, database=database, secret=SecretStr("s" * 48), console_token=tokens,
            oidc_issuer=issuer.url, oidc_client_id=CLIENT,
        )  # fmt: skip
        app = await asyncio.to_thread(create_management, settings)
        await stack.enter_async_context(_serving(app, sockets[0]))
        own = Settings(
            management_url=management, management_token=tokens, public_url=console,
            oidc_issuer=issuer.url, oidc_client_id=CLIENT, oidc_client_secret=SecretStr(SECRET),
        )  # fmt: skip
        await stack.enter_async_context(_serving(await asyncio.to_thread(create_console, own), sockets[1]))
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        yield Browser(http, console, management), issuer


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
