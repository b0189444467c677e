"""Gives each request an id for all its log lines, and logs one line when it ends. Pure ASGI."""

import logging
import re
import time
import uuid
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

REQUEST_ID = "x-request-id"
request_id: ContextVar[str] = ContextVar("request_id", default="-")
# Request ids are written to logs unescaped.
_SAFE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


def named(given: str | None) -> str:
    """The caller's own id for the request if it is safe to log, else a new one."""
    return given if given and _SAFE.fullmatch(given) else uuid.uuid4().hex


class AccessLog:
    """Lines of `quiet` paths, polled every few seconds, are logged at debug level."""

    def __init__(self, app: ASGIApp, *, quiet: frozenset[str] = PROBES) -> None:
        self._app = app
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name, begun, status = named(Headers(scope=scope).get(REQUEST_ID)), time.monotonic(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = name
            await send(message)

        token = request_id.set(name)
        try:
            await self._app(scope, receive, sending)
        finally:
            level = logging.DEBUG if scope["path"] in self._quiet else logging.INFO
            seconds = time.monotonic() - begun
            logger.log(level, "%s %s %d in %.3f s", scope["method"], scope["path"], status, seconds)
            request_id.reset(token)
