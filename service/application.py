"""A service as a FastAPI application: routes, probes, and uniform errors.

Every internal service is made here, so 401, 404, 405, 413, 422 and 503 look the same on all of them.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse

from service.access import PROBES, AccessLog
from service.bearer import BearerAuth
from service.body_limit import BodyLimit
from service.errors import ErrorBody, ServiceError
from service.probes import Probes
from service.request_metrics import CountRequests, RequestMetrics
from service.tokens import Tokens

MOST_BYTES = 8_000_000  # of a body
LONGEST_MESSAGE = 500  # characters: a message may quote the name of an unknown field

_PUBLIC = frozenset({"/healthz", "/readyz", "/openapi.json"})
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """A value for a route's `responses`: the error statuses it has beside the shared ones."""
    return {status: {"model": ErrorBody} for status in statuses}


def router(*, takes_json: bool = True) -> APIRouter:
    """For routes behind the service's token. Routes appear in OpenAPI in their order here."""
    bearer = Security(HTTPBearer(auto_error=False, description="The token of this service's callers."))
    kind = _JsonRoute if takes_json else APIRoute
    return APIRouter(route_class=kind, responses=refusals(401, 413, 422, 503), dependencies=[bearer])


def application(
    title: str,
    routers: Sequence[APIRouter],
    *,
    tokens: Tokens | None,
    metrics_tokens: Tokens | None,
    probes: Probes,
    public: frozenset[str] = frozenset(),
    lifespan: Lifespan | None = None,
    most_bytes: int = MOST_BYTES,
    streamed: tuple[str, ...] = (),
    metrics: RequestMetrics | None = None,
) -> FastAPI:
    """`tokens` is None for a service without tokens; `public` paths need no token either. Without `metrics_tokens`
    the metrics are public. Below `streamed` paths bodies have no limit: they are passed on, not kept."""
    app = FastAPI(
        title=title,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
        lifespan=lifespan,
        middleware=[
            *([Middleware(CountRequests, metrics=metrics)] if metrics else []),
            Middleware(AccessLog, quiet=PROBES | _polled(routers)),
            Middleware(BearerAuth, tokens=tokens, metrics=metrics_tokens, public=_PUBLIC | public),
            Middleware(BodyLimit, most_bytes=most_bytes, streamed=streamed),
        ],
        exception_handlers={
            ServiceError: _on_service_error,
            HTTPException: _on_http_error,
            RequestValidationError: _on_invalid,
            Exception: _on_fault,
        },
    )
    for each in (*routers, probes.router()):
        app.include_router(each)
    return app


def _polled(routers: Sequence[APIRouter]) -> frozenset[str]:
    """Paths polled by other services."""
    routes = (route for each in routers for route in each.routes if isinstance(route, APIRoute))
    return frozenset(route.path for route in routes if route.methods == {"GET"})


class _JsonRequest(Request):
    async def json(self) -> Any:
        """Raises JSONDecodeError for invalid or too deeply nested JSON."""
        try:
            return from_json(await self.body())
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from error


class _JsonRoute(APIRoute):
    """Bodies are JSON regardless of their declared type: `curl -d` declares a form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            headers = [header for header in request.scope["headers"] if header[0] != b"content-type"]
            return await handler(_JsonRequest({**request.scope, "headers": headers}, request.receive))

        return handle


# Errors ----------------------------------------------------------------------------------------------------------

Handler = Callable[[Request, Exception], Awaitable[Response]]


def error_response(status: int, code: str, message: str) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": {"code": code, "message": message[:LONGEST_MESSAGE]}}, status, headers)


async def _on_service_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)  # noqa: S101  # it is registered for this class
    return error_response(error.status, error.code, str(error))


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Errors of the framework: unknown route, wrong method, body too large."""
    assert isinstance(error, HTTPException)  # noqa: S101
    message = {
        404: f"{request.url.path} is not a route of this service; see /openapi.json",
        405: f"{request.url.path} does not take {request.method}; see /openapi.json",
    }.get(error.status_code, error.detail)
    response = error_response(error.status_code, _CODES.get(error.status_code, "refused"), message)
    response.headers.update(error.headers or {})
    return response


async def _on_invalid(_request: Request, error: Exception) -> Response:
    """Names the first fault and its place, and never repeats a value."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return error_response(422, "invalid_request", f"the body is not JSON: {first['ctx']['error']}")
    location = ".".join(map(str, first["loc"][1:]))  # without the first part, which is `body` or `query`
    return error_response(422, "invalid_request", f"{location or 'the body'}: {first['msg']}")


async def _on_fault(_request: Request, _error: Exception) -> Response:
    """The framework re-raises the error, so the server logs it."""
    return error_response(500, "internal", "the service had an error; its log has the details")
