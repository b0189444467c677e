"""Servers on loopback for tests: a right one, one that says whatever a test wants, and a line that can be cut."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

HOST = "127.0.0.1"

TAG = {"ETag": '"one"'}


@dataclass
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case


Say = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


@dataclass
class Log:
    """What a server was asked, in order."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@asynccontextmanager
async def raw_server(tls: ssl.SSLContext | None, say: Say, host: str = HOST) -> AsyncIterator[Log]:
    """Speaks HTTP to the end of the request; the answer, right or wrong, is the test's."""
    log = Log()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            method, target, _ = first.split(" ")
            headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines if line)}
            asked = Asked(method, target, headers)
            log.asked.append(asked)
            try:
                await say(asked, writer)
                writer.close()
                await writer.wait_closed()
            finally:
                writer.transport.abort()

    async with _listening(serve, host, tls) as log.port:
        yield log


@asynccontextmanager
async def _listening(serve: Serve, host: str, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """Ends what serves a connection with the server."""
    tasks: list[asyncio.Task[None]] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.get_running_loop().create_task(serve(reader, writer)))

    server = await asyncio.start_server(connected, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def send(writer: asyncio.StreamWriter, status: str, headers: dict[str, str], body: bytes = b"") -> None:
    """A whole answer; the length is the body's unless the headers give another."""
    headers = {"Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)
    await writer.drain()


@asynccontextmanager
async def file_server(tls: ssl.SSLContext | None, directory: Path) -> AsyncIterator[Log]:
    """aiohttp's own: ranges, conditions and tags as they should be."""
    log = Log()

    @web.middleware
    async def note(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]):  # type: ignore[no-untyped-def]
        headers = {name.lower(): value for name, value in request.headers.items()}
        log.asked.append(Asked(request.method, request.path_qs, headers))
        return await handler(request)

    app = web.Application(middlewares=[note])
    app.router.add_static("/", directory)
    async with app_server(tls, app) as log.port:
        yield log


@asynccontextmanager
async def app_server(tls: ssl.SSLContext | None, app: web.Application) -> AsyncIterator[int]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@dataclass
class Line:
    """Between a client and `target`. `served` counts the bytes towards the client; after `cut_after` more of them
    the connection breaks, once."""

    target: int
    port: int = 0
    served: int = 0
    cut_after: int | None = None

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(HOST, self.target)
        up = asyncio.create_task(_pump(reader, back))
        try:
            while block := await there.read(16_384):
                self.served += len(block)
                writer.write(block)
                await writer.drain()
                if self.cut_after is not None and self.served > self.cut_after:
                    self.cut_after = None
                    break
        except ConnectionError:
            pass
        finally:
            up.cancel()
            back.transport.abort()
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while block := await reader.read(16_384):
            writer.write(block)
            await writer.drain()


@asynccontextmanager
async def line(target: int) -> AsyncIterator[Line]:
    made = Line(target)
    async with _listening(made.carry, HOST, None) as made.port:
        yield made


def answering(status: str, headers: dict[str, str], body: bytes = b"") -> Say:
    async def say(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await send(writer, status, headers, body)

    return say
