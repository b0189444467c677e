"""Checks bearer tokens before a body is read. Pure ASGI."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import UnauthorizedError
from service.tokens import Tokens

METRICS = "/metrics"


class BearerAuth:
    """`metrics` guards /metrics, `tokens` every other path except the `public` ones; None admits every caller."""

    def __init__(self, app: ASGIApp, *, tokens: Tokens | None, metrics: Tokens | None, public: frozenset[str]) -> None:
        self._app = app
        self._tokens = tokens
        self._metrics = metrics
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._allows(scope["path"], Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        message = "the Authorization header has no valid bearer token; send this service's token"
        error = {"code": UnauthorizedError.code, "message": message}
        answer = JSONResponse({"error": error}, UnauthorizedError.status, headers={"WWW-Authenticate": "Bearer"})
        await answer(scope, receive, send)

    def _allows(self, path: str, headers: Headers) -> bool:
        if path in self._public:
            return True
        tokens = self._metrics if path == METRICS else self._tokens
        return tokens is None or tokens.accept(headers.get("authorization", ""))
