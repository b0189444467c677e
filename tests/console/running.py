"""The console on a management API of a directory, with a provider of sign-ins."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from pydantic import SecretStr

from console.app import create_app as create_console
from console.settings import Settings
from contract.objects import collect
from contract.snapshot import Snapshot
from operators.local import snapshots
from operators.local.directory import STATE
from operators.management.app import create_app as create_management
from operators.settings import ManagementSettings
from tests.console.oidc_provider import CLIENT, SECRET
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


@asynccontextmanager
async def console_with(issuer: str, root: Path, console: socket.socket, **oidc: Any) -> AsyncIterator[Browser]:
    """The console on a bound socket. The tenants are acme and globex."""
    (root / STATE).mkdir()
    items = collect((objects.base_model(), objects.tenant("acme"), objects.tenant("globex")))
    await asyncio.to_thread(snapshots.write, root / STATE / "snapshot.json", Snapshot(objects=items))
    bound = socket.create_server(("127.0.0.1", 0))
    management, url = address(bound), address(console)
    tokens = SecretStr(f"{TOKEN},{OLD}")
    async with AsyncExitStack() as stack:
        settings = ManagementSettings(
            directory=root, database=f"sqlite:///{root}/management.db", secret=SecretStr("s" * 48),
            console_token=tokens, oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_groups_claim="groups",
        )  # fmt: skip
        app = await asyncio.to_thread(create_management, settings)
        await stack.enter_async_context(_serving(app, bound))
        own = Settings(
            management_url=management, management_token=tokens, public_url=url,
            oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_client_secret=SecretStr(SECRET), **oidc,
        )  # fmt: skip
        await stack.enter_async_context(_serving(await asyncio.to_thread(create_console, own), console))
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        yield Browser(http, url, management)


def address(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"
