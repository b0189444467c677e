"""What an engine's agent is to an operator, without an engine: whatever is desired is there at once.

A real engine would be what is measured. What the operator and a real agent do together: tests/api_server.
"""

import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from itertools import takewhile

from aiohttp import web

from contract.agent import (
    AdapterReport,
    AgentStatus,
    DesiredAdapter,
    DesiredChange,
    DesiredSet,
    VersionName,
    set_digest,
)
from contract.engine_name import engine_name
from operators.local.layout import free_port
from service.changes import Changes

HOST = "127.0.0.1"


class Agent:
    """`told` is when each adapter was first in a desired set, by name, since the last `forget`. A call costs what it
    changes: a hundred of them share a process."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.told: dict[str, float] = {}
        self.calls = 0
        self._changes = Changes()
        self._first = self._changes.number
        self._items: dict[VersionName, DesiredAdapter] = {}
        self._residents: frozenset[VersionName] | None = None
        self._total = 0
        self._versions: Counter[str] = Counter()  # by adapter
        self._changed: dict[VersionName, int] = {}  # the number of the last change of each, in this order

    def forget(self) -> None:
        """As one that was started anew."""
        self.told, self.calls = {}, 0
        self._take((), [*self._items])

    def has(self, adapter: str) -> bool:
        return self._versions[adapter] > 0

    async def desire(self, request: web.Request) -> web.Response:
        desired = DesiredSet.model_validate_json(await request.read())
        self.calls += 1
        self._residents = desired.residents
        self._take(desired.adapters, self._items.keys() - {item.version_name for item in desired.adapters})
        return web.json_response({}, status=202)

    async def change(self, request: web.Request) -> web.Response:
        change = DesiredChange.model_validate_json(await request.read())
        if change.before != set_digest(self._total, self._residents):
            return web.json_response({}, status=409)
        self.calls += 1
        if self._residents is not None:
            self._residents = self._residents - {*change.former_residents} | {*change.new_residents}
        self._take(change.adapters, change.removed)
        return web.json_response({}, status=202)

    def _take(self, items: Iterable[DesiredAdapter], removed: Iterable[VersionName]) -> None:
        self._changes.add()
        for name in removed:
            self._put(name, None)
        for item in items:
            self.told.setdefault(item.adapter, time.monotonic())
            self._put(item.version_name, item)

    def _put(self, name: VersionName, item: DesiredAdapter | None) -> None:
        for each, sign in ((self._items.pop(name, None), -1), (item, 1)):
            if each:
                self._total += sign * each.number
                self._versions[each.adapter] += sign
        if item:
            self._items[name] = item
        self._changed.pop(name, None)
        self._changed[name] = self._changes.number

    async def status(self, request: web.Request) -> web.Response:
        seen, wait = int(request.query.get("seen", -1)), float(request.query.get("wait", 0))
        await self._changes.wait_beyond(seen, wait)
        status = self._since(seen if "changes" in request.query else -1)
        body = status.model_dump_json(by_alias=True, exclude_defaults=True)
        return web.Response(text=body, content_type="application/json")

    def _since(self, seen: int) -> AgentStatus:
        newest = reversed(self._changed.items())
        is_part = self._first <= seen <= self._changes.number
        names = [name for name, _ in (takewhile(lambda pair: pair[1] > seen, newest) if is_part else newest)]
        return AgentStatus.model_construct(
            version=self._changes.number,
            ready=True,
            started=1.0,
            spoiled_by=None,
            since=seen if is_part else None,
            adapters=tuple(_report(self._items[name]) for name in names if name in self._items),
            removed=tuple(name for name in names if is_part and name not in self._items),
        )


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
