"""The public API as a FastAPI application, without the routes for generation and embeddings."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from service.access import AccessLog
from serving.gateway import openapi
from serving.gateway.authentication import Authentication
from serving.gateway.discovery import Source
from serving.gateway.errors import ApiError, MethodNotAllowed, NotFound
from serving.gateway.forwarding import Forwarder
from serving.gateway.routes import about, models

# docs/decisions/0013-one-api-for-answers.md
_OTHER_APIS = ("/v1/responses", "/v1/messages", "/v1/assistants", "/v1/threads")
_CHAT_ALONE = "This API answers at POST /v1/chat/completions."
METHODS = ("GET", "HEAD", "OPTIONS")


class _PublicApi(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi.described(self.routes)
        return self.openapi_schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles HEAD as GET; the server omits the body."""
        await super().__call__({**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope, receive, send)


def public_api(
    forwarder: Forwarder, authentication: Authentication, discovery: Source, *, embedder: str | None
) -> FastAPI:
    app = _PublicApi(
        title="Quiver",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(AccessLog)],
        exception_handlers={ApiError: _on_api_error, HTTPException: _on_http_error, Exception: _on_fault},
    )
    app.include_router(about.routes(discovery))
    app.include_router(models.routes(forwarder, authentication, discovery, embedder=embedder))
    return app


def answers(app: FastAPI, scope: Scope) -> bool:
    """True if the application has a route for the path, with any method."""
    return any(route.matches({**scope, "method": "GET"})[0] is Match.FULL for route in app.routes)


Handler = Callable[[Request, Exception], Awaitable[Response]]


def _response(request: Request, error: ApiError) -> Response:
    limits = getattr(request.state, "headers", {})
    return JSONResponse(error.body(), error.status, {**limits, **error.headers})


async def _on_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101  # it is registered for this class
    return _response(request, error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == MethodNotAllowed.status:
        return _response(request, MethodNotAllowed(request.url.path, METHODS))
    hint = f" {_CHAT_ALONE}" if request.url.path.startswith(_OTHER_APIS) else ""
    message = f"Unknown request URL: {request.method} {request.url.path}.{hint}"
    return _response(request, NotFound(message, code="unknown_url"))


async def _on_fault(request: Request, _error: Exception) -> Response:
    """The framework re-raises the error, so the server logs it."""
    return _response(request, ApiError("The server had an error; quote the x-request-id header when you report it."))
