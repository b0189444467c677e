"""Sign in and out; language and theme."""

import contextlib
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from console import security
from console.api import ApiError, Json
from console.language import LANGUAGES
from console.navigation import first_page
from console.visit import THEMES, AnyVisit, SignedIn, Visit

_YEAR_S = 365 * 24 * 3600
Text = Annotated[str, Form(max_length=2_000)]


def routes() -> APIRouter:
    pages = APIRouter()

    @pages.get("/")
    async def start(visit: SignedIn) -> Response:
        return visit.go(first_page(visit.who or {}))

    @pages.get("/sign-in")
    async def form(visit: AnyVisit, next: str = "/", over: str = "") -> Response:  # noqa: A002  # its name in addresses
        return form_page(visit, next, is_over=bool(over))

    @pages.post("/sign-in")
    async def sign_in(visit: AnyVisit, key: Text, next: Text = "/") -> Response:  # noqa: A002
        """A new session, whatever cookie the browser came with."""
        try:
            opened = await visit.post("/v1/sessions", {"key": key})
        except ApiError as error:
            fault = visit.language.either(f"error.{error.code}", error.message) or visit.language("problem.away")
            status = error.status if error.status in (401, 422, 429) else 503
            return form_page(visit, next, status=status, fault=fault)
        return opened_page(opened, next)

    @pages.post("/sign-out")
    async def sign_out(visit: AnyVisit) -> Response:
        """The cookie goes in any case."""
        with contextlib.suppress(ApiError):
            await visit.delete("/v1/session")
        return security.without_session(RedirectResponse("/sign-in", 303))

    @pages.post("/preferences")
    async def preferences(request: Request, name: Text, value: Text, back: Text = "/") -> Response:
        """The language or the theme, kept in a cookie."""
        response = RedirectResponse(security.local(back), 303)
        allowed = {"language": LANGUAGES, "theme": THEMES}
        if value in allowed.get(name, ()):
            response.set_cookie(name, value, max_age=_YEAR_S, path="/", secure=True, httponly=True, samesite="lax")
        return response

    return pages


def form_page(visit: Visit, target: str, *, status: int = 200, is_over: bool = False, fault: str = "") -> Response:
    has_provider = visit.request.app.state.provider is not None
    return visit.page("sign_in.html", status=status, next=security.local(target), is_over=is_over, fault=fault,
                      has_provider=has_provider)  # fmt: skip


def opened_page(opened: Json, target: str) -> Response:
    target = security.local(target)
    address = first_page(opened["identity"]) if target == "/" else target
    return security.with_session(RedirectResponse(address, 303), opened["session"])
