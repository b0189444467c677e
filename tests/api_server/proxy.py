"""What a real API server cannot be made to show: answers that it gives when it is ill. The rest goes through to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

from tests.api_server.server import HOST, ApiServer

# Method and path with query → the answer instead of the server's, or None.
Fault = Callable[[str, str], web.Response | None]
_HOP = {"connection", "transfer-encoding", "host", "content-length", "content-encoding"}


@dataclass
class Proxy:
    """`hang` makes every new request wait; `cut` ends the streams that run."""

    server: ApiServer
    port: int = 0
    fault: Fault = lambda method, path: None
    asked: list[str] = field(default_factory=list)
    streams: set[asyncio.Task[None]] = field(default_factory=set)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        for stream in self.streams:
            stream.cancel()

    @property
    def kubeconfig(self) -> Path:
        path = self.server.folder / f"kubeconfig-proxy-{self.port}"
        known = yaml.safe_load(self.server.user("operator").read_text())
        known["clusters"][0]["cluster"] = {"server": f"http://{HOST}:{self.port}"}
        path.write_text(yaml.safe_dump(known))
        return path


@asynccontextmanager
async def proxy(server: ApiServer) -> AsyncIterator[Proxy]:
    found = Proxy(server)
    found.open.set()
    trust = ssl.create_default_context(cafile=str(server.ca_file))
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(ssl=trust, limit=0)) as session:

        async def handle(request: web.Request) -> web.StreamResponse:
            found.asked.append(f"{request.method} {request.path_qs}")
            await found.open.wait()
            fault = found.fault(request.method, request.path_qs)
            return fault or await _forward(found, session, request)

        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        found.port = runner.addresses[0][1]
        try:
            yield found
        finally:
            found.open.set()
            found.cut()
            await runner.cleanup()


async def _forward(found: Proxy, session: aiohttp.ClientSession, request: web.Request) -> web.StreamResponse:
    headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
    body = await request.read()
    url = f"{found.server.url}{request.path_qs}"
    async with session.request(request.method, url, headers=headers, data=body) as response:
        answer = web.StreamResponse(status=response.status)
        for key, value in response.headers.items():
            if key.lower() not in _HOP:
                answer.headers[key] = value
        await answer.prepare(request)
        task = asyncio.current_task()
        assert task
        found.streams.add(task)
        try:
            async for chunk in response.content.iter_any():
                await answer.write(chunk)
        except asyncio.CancelledError:
            if request.transport:
                request.transport.abort()
            raise
        finally:
            found.streams.discard(task)
        await answer.write_eof()
        return answer


def refusal(status: int, reason: str, **headers: str) -> web.Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "code": status,
        "message": reason,
    }
    return web.json_response(body, status=status, headers=headers)
