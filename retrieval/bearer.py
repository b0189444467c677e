"""The bearer token of this service's only callers. Pure ASGI."""

import hmac

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from retrieval.errors import UnauthorizedError

OPEN = frozenset({"/healthz", "/readyz", "/metrics"})


class BearerAuth:
    """Lets a request through that is for an open path or presents the token; compared in constant time."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._expected = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN or self._presented(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        error = {"code": UnauthorizedError.code, "message": "No valid bearer token: send Authorization: Bearer TOKEN."}
        answer = JSONResponse({"error": error}, UnauthorizedError.status, headers={"WWW-Authenticate": "Bearer"})
        await answer(scope, receive, send)

    def _presented(self, headers: Headers) -> bool:
        return hmac.compare_digest(headers.get("authorization", "").encode(), self._expected)
