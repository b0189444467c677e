"""What an engine's agent is to an operator, without an engine: whatever is desired is there at once.

A real engine would be what is measured. What the operator and a real agent do together: tests/api_server.
"""

import hashlib
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache

from aiohttp import web

from contract.agent import AdapterReport, AgentStatus, DesiredAdapter, DesiredChange, DesiredSet
from contract.engine_name import engine_name
from operators.local.layout import free_port
from serving.agent.status_log import StatusLog

HOST = "127.0.0.1"


class Agent:
    """`told` is when each adapter was first in a desired set, by its name, since the last `forget`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.told: dict[str, float] = {}
        self.calls = 0
        self._desired = DesiredSet()
        self._status = StatusLog()
        self.forget()

    def forget(self) -> None:
        """As one that was started anew."""
        self.told, self.calls = {}, 0
        self._take(DesiredSet())

    async def desire(self, request: web.Request) -> web.Response:
        now, desired = time.monotonic(), DesiredSet.model_validate_json(await request.read())
        self.calls += 1
        self._note(desired.adapters, now)
        self._take(desired)
        return web.json_response({}, status=202)

    async def change(self, request: web.Request) -> web.Response:
        now, change = time.monotonic(), DesiredChange.model_validate_json(await request.read())
        after = self._desired.changed(change)
        if after is None:
            return web.json_response({}, status=409)
        self.calls += 1
        self._note(change.adapters, now)
        self._take(after)
        return web.json_response({}, status=202)

    def _note(self, items: Iterable[DesiredAdapter], now: float) -> None:
        for item in items:
            self.told.setdefault(item.adapter, now)

    def has(self, adapter: str) -> bool:
        return adapter in self._adapters

    def _take(self, desired: DesiredSet) -> None:
        self._desired = desired
        self._adapters = {item.adapter for item in desired.adapters}
        self._status.set(
            AgentStatus(version=0, ready=True, started=1.0, adapters=tuple(map(_report, desired.adapters)))
        )

    async def status(self, request: web.Request) -> web.Response:
        seen, wait = int(request.query.get("seen", -1)), float(request.query.get("wait", 0))
        await self._status.changes.wait_beyond(seen, wait)
        status = self._status.since(seen if "changes" in request.query else -1)
        assert status is not None
        body = status.model_dump_json(by_alias=True, exclude_defaults=True)
        return web.Response(text=body, content_type="application/json")


@cache
def _report(item: DesiredAdapter) -> AdapterReport:
    """What has its digest already keeps it."""
    digest = item.digest or hashlib.sha256((item.source or "").encode()).hexdigest()
    return AdapterReport(
        tenant=item.tenant,
        adapter=item.adapter,
        revision=item.revision,
        state="Ready",
        digest=digest,
        engine_name=engine_name(item.tenant, item.adapter, digest),
    )


@asynccontextmanager
async def agent() -> AsyncIterator[Agent]:
    served = Agent(free_port())
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_put("/v1/desired", served.desire)
    app.router.add_patch("/v1/desired", served.change)
    app.router.add_get("/v1/status", served.status)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, served.port).start()
    try:
        yield served
    finally:
        await runner.cleanup()
