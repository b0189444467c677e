"""One look of a tenant at its documents at a time: many callers at once would take the worker's CPU time from other
tenants' documents. Pure ASGI."""

import asyncio
import re
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

_TENANT = re.compile(r"/v1/tenants/([^/]{1,200})/vector_stores")


class TenantTurns:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns: dict[str, _Turn] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _TENANT.match(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if match is None:
            await self._app(scope, receive, send)
            return
        turn = self._turns.setdefault(match[1], _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                await self._app(scope, receive, send)
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[match[1]]


@dataclass
class _Turn:
    users: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
