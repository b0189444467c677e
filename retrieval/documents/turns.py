"""One look of a tenant at its documents at a time: many callers at once would take the worker's CPU time from other
tenants' documents. Pure ASGI."""

import asyncio
import re
from collections import defaultdict

from starlette.types import ASGIApp, Receive, Scope, Send

_TENANT = re.compile(r"/v1/tenants/([^/]{1,200})/vector_stores")


class TenantTurns:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _TENANT.match(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if match is None:
            await self._app(scope, receive, send)
            return
        async with self._turns[match[1]]:
            await self._app(scope, receive, send)
        if not self._turns[match[1]].locked():
            self._turns.pop(match[1], None)
