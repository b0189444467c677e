"""Sign in by the OpenID Connect provider."""

import logging

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from console import security
from console.api import ApiError
from console.pages.sign_in import form_page, opened_page
from console.provider import COOKIE, LIFE, Provider, ProviderError
from console.visit import AnyVisit, Visit

logger = logging.getLogger(__name__)


def routes() -> APIRouter:
    pages = APIRouter()

    @pages.get("/sign-in/provider")
    async def begin(visit: AnyVisit, next: str = "/") -> Response:  # noqa: A002
        """To the provider. A page of its own, as forms may lead to this console alone."""
        provider = _provider(visit)
        try:
            begun = await provider.begin(security.local(next))
        except ProviderError as error:
            return _refused(visit, error)
        response = RedirectResponse(begun.url, 303)
        seconds = int(LIFE.total_seconds())
        response.set_cookie(COOKIE, begun.cookie, seconds, path="/", secure=True, httponly=True, samesite="lax")
        return response

    @pages.get("/sign-in/return")
    async def end(visit: AnyVisit, state: str = "", code: str = "") -> Response:
        """From the provider. The cookie is of use once."""
        try:
            ended = await _provider(visit).end(visit.request.cookies.get(COOKIE, ""), state, code)
            opened = await visit.post("/v1/sessions", {"id_token": ended.id_token, "nonce": ended.nonce})
        except ProviderError as error:
            response = _refused(visit, error)
        except ApiError as error:
            response = form_page(visit, "/", status=error.status, fault=error.message or visit.language("problem.away"))
        else:
            response = opened_page(opened, ended.next)
        response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        return response

    return pages


def _provider(visit: Visit) -> Provider:
    """Raises HTTPException where there is none."""
    provider: Provider | None = visit.request.app.state.provider
    if provider is None:
        raise HTTPException(404)
    return provider


def _refused(visit: Visit, error: ProviderError) -> Response:
    logger.warning("a sign-in by the provider fails: %s", error)
    return form_page(visit, "/", status=502, fault=visit.language("sign_in.provider_fault"))
