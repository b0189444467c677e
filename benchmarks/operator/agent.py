"""What an engine's agent is to an operator, without an engine: whatever is desired is there at once.

A real engine would be what is measured. What the operator and a real agent do together: tests/api_server.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from contract.engine_name import engine_name
from operators.local.layout import free_port

HOST = "127.0.0.1"


class Agent:
    """`told` is when each adapter was first in a desired set, by its name, since the last `forget`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.told: dict[str, float] = {}
        self.calls = 0
        self._adapters: list[dict[str, Any]] = []
        self._version = 0
        self._news = asyncio.Condition()

    def forget(self) -> None:
        """As one that was started anew."""
        self.told, self._adapters, self.calls = {}, [], 0
        self._version += 1

    async def desire(self, request: web.Request) -> web.Response:
        now, body = time.monotonic(), await request.json()
        self.calls += 1
        self._adapters = [_held(item) for item in body["adapters"]]
        for item in self._adapters:
            self.told.setdefault(item["adapter"], now)
        async with self._news:
            self._version += 1
            self._news.notify_all()
        return web.json_response({}, status=202)

    async def status(self, request: web.Request) -> web.Response:
        seen, wait = int(request.query.get("seen", -1)), float(request.query.get("wait", 0))
        try:
            async with asyncio.timeout(wait), self._news:
                await self._news.wait_for(lambda: self._version > seen)
        except TimeoutError:
            pass
        return web.json_response({"version": self._version, "ready": True, "started": 1.0, "adapters": self._adapters})


def _held(item: dict[str, Any]) -> dict[str, Any]:
    """What is known by its digest already keeps it."""
    digest = item.get("digest") or hashlib.sha256(item["source"].encode()).hexdigest()
    return {
        "tenant": item["tenant"], "adapter": item["adapter"], "revision": item["revision"], "state": "Ready",
        "digest": digest, "engineName": engine_name(item["tenant"], item["adapter"], digest),
    }  # fmt: skip


@asynccontextmanager
async def agent() -> AsyncIterator[Agent]:
    found = Agent()
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_put("/v1/desired", found.desire)
    app.router.add_get("/v1/status", found.status)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, found.port).start()
    try:
        yield found
    finally:
        await runner.cleanup()
