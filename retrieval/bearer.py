"""The bearer tokens of this service's only callers. Pure ASGI."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from retrieval.errors import UnauthorizedError
from service.tokens import Tokens

OPEN = frozenset({"/healthz", "/readyz"})
METRICS = "/metrics"


class BearerAuth:
    """Lets a request through that is for an open path or presents a token. Metrics are open where they have none."""

    def __init__(self, app: ASGIApp, token: str, metrics_token: str = "") -> None:
        self._app, self._tokens = app, Tokens(token)
        self._metrics = Tokens(metrics_token) if metrics_token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN or self._allows(scope["path"], Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        error = {"code": UnauthorizedError.code, "message": "No valid bearer token: send Authorization: Bearer TOKEN."}
        answer = JSONResponse({"error": error}, UnauthorizedError.status, headers={"WWW-Authenticate": "Bearer"})
        await answer(scope, receive, send)

    def _allows(self, path: str, headers: Headers) -> bool:
        tokens = self._metrics if path == METRICS else self._tokens
        return tokens is None or tokens.accept(headers.get("authorization", ""))
