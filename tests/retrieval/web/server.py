"""A web server whose pages a test changes."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Page:
    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/html"})


@dataclass
class Server:
    """`asked` are the paths of all requests, with the conditional header of each."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def put(self, path: str, body: str = "", *, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = Page(body, status, {"content-type": "text/html"} | named)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path_qs, request.headers.get("if-none-match", "")))
        page = self.pages.get(request.path_qs)
        if page is None:
            return web.Response(status=404, text="nothing here")
        etag = page.headers.get("etag")
        if etag and request.headers.get("if-none-match") == etag:
            return web.Response(status=304)
        return web.Response(status=page.status, body=page.body.encode(), headers=page.headers)


@asynccontextmanager
async def serving(host: str = "127.0.0.1") -> AsyncIterator[Server]:
    bound = socket.create_server((host, 0))
    server = Server(f"http://{host}:{bound.getsockname()[1]}")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, bound).start()
    try:
        yield server
    finally:
        await runner.cleanup()
