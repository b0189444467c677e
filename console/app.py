"""The console as an application: pages, static files, errors in words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import aiohttp
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from console import rendering, visit
from console.api import ApiError, connect
from console.pages import adapters, ask, changes, documents, keys, platform, provider, sign_in, training, usage
from console.provider import Provider
from console.rendering import STATIC, Renderer
from console.security import COOKIE, Guard
from console.settings import Settings
from console.visit import SignInNeeded, Visit
from service.access import AccessLog
from service.bearer import BearerAuth
from service.body_limit import BodyLimit
from service.probes import Probes
from service.request_metrics import CountRequests, RequestMetrics
from service.tokens import all_of, first, optional

MOST_BYTES = 1_000_000  # of a form; uploads are passed on as they come
_FILES = {path.name for path in STATIC.iterdir() if path.is_file()}
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


def create_app(settings: Settings) -> FastAPI:
    registry, renderer = CollectorRegistry(), Renderer()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        token = first(settings.management_token.get_secret_value())
        async with connect(settings.management_url, token) as api, aiohttp.ClientSession() as http:
            app.state.settings, app.state.api, app.state.renderer = settings, api, renderer
            app.state.provider = _provider(settings, http)
            yield

    async def ready() -> str:
        return ""

    app = FastAPI(
        title="Quiver console",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[
            Middleware(CountRequests, metrics=RequestMetrics("console", registry)),
            Middleware(AccessLog),
            Middleware(BearerAuth, tokens=None, metrics=optional(settings.metrics_token.get_secret_value()),
                       public=frozenset()),
            Middleware(Guard),
            Middleware(BodyLimit, most_bytes=MOST_BYTES, streamed=(f"{documents.UPLOADS}/", training.UPLOADS)),
        ],
        exception_handlers={
            SignInNeeded: _on_sign_in_needed,
            ApiError: _on_api_error,
            HTTPException: _on_http_error,
            RequestValidationError: _on_invalid,
        },
    )  # fmt: skip
    for each in (*_pages(), Probes(registry, ready).router()):
        app.include_router(each)

    @app.get("/static/{name}")
    async def static(name: str, v: str = "") -> Response:
        if name not in _FILES:
            raise HTTPException(404)
        is_asked_for = rendering.static(name).endswith(f"?v={v}")  # else it is another release's
        return FileResponse(STATIC / name, headers=_FOR_EVER if is_asked_for else {"cache-control": "no-store"})

    return app


def _provider(settings: Settings, http: aiohttp.ClientSession) -> Provider | None:
    if not settings.oidc_issuer:
        return None
    return Provider(
        http,
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        secrets=all_of(settings.management_token.get_secret_value()),
        scopes=settings.oidc_scopes,
        return_url=f"{settings.public_url.rstrip('/')}/sign-in/return",
    )


def _pages() -> tuple[APIRouter, ...]:
    return (
        sign_in.routes(),
        provider.routes(),
        documents.routes(),
        documents.document_routes(),
        documents.upload_routes(),
        documents.web_routes(),
        documents.deletion_routes(),
        ask.routes(),
        ask.golden_routes(),
        adapters.routes(),
        training.routes(),
        keys.routes(),
        usage.routes(),
        changes.routes(),
        platform.routes(),
    )


def _wants_data(request: Request) -> bool:
    """True for the page's script."""
    return "text/html" not in request.headers.get("accept", "text/html")


async def _on_sign_in_needed(request: Request, _error: Exception) -> Response:
    if _wants_data(request):
        return JSONResponse({"error": "signed_out"}, 401)
    coming = await visit.visit(request)
    over = "&over=1" if request.cookies.get(COOKIE) else ""
    return RedirectResponse(f"/sign-in?next={quote(coming.address)}{over}", 303)


async def _on_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101  # it is registered for this class
    if error.status == 401:
        return await _on_sign_in_needed(request, error)
    return await _problem(request, error.status, error.message, error.code)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    return await _problem(request, error.status_code)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    return await _problem(request, 422, f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}", "invalid_request")


async def _visit(request: Request) -> Visit:
    """With the main menu, where somebody is signed in."""
    coming = await visit.visit(request)
    try:
        return await visit.signed_in(coming)
    except (SignInNeeded, ApiError):
        return coming


_GENERAL = {403: "problem.forbidden", 404: "problem.missing", 405: "problem.missing", 413: "problem.too_large"}


async def _problem(request: Request, status: int, message: str = "", code: str = "") -> Response:
    """Shows the fault in the reader's language, the remedy, and the service's own message."""
    coming = await visit.visit(request) if status >= 500 else await _visit(request)
    general = coming.language(_GENERAL.get(status, "problem.away"))
    words = coming.language.either(f"error.{code}", "") or (message if status < 500 else "") or general
    if _wants_data(request):
        return JSONResponse({"error": words if not message or words == message else f"{words} ({message})"}, status)
    detail = message if message != words else ""
    return coming.page("problem.html", status=status, message=words, detail=detail)
