"""One visit of a page: who comes, in which language and theme, and how the page is answered."""

import asyncio
import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from console import language, security
from console.api import Api, ApiError, Json, Person
from console.language import Language
from console.navigation import NAVIGATION
from console.rendering import Renderer

THEMES = ("auto", "light", "dark")


class SignInNeeded(Exception):
    """There is no session, or it is over."""


@dataclass(frozen=True)
class Visit:
    """`who` is the identity from the management API; None before the sign-in."""

    request: Request
    api: Api
    person: Person
    language: Language
    renderer: Renderer
    who: Json | None = None

    @property
    def tenant(self) -> str:
        return str((self.who or {}).get("tenant") or "")

    @property
    def path(self) -> str:
        """Of the tenant, in the management API."""
        return f"/v1/tenants/{quote(self.tenant, safe='')}"

    @property
    def address(self) -> str:
        """Of the page; of a form, the page that it was sent from."""
        if self.request.method != "GET":
            return security.page_before(self.request)
        query = self.request.url.query
        return f"{self.request.url.path}?{query}" if query else self.request.url.path

    def may(self, scope: str) -> bool:
        return bool({scope, "admin"} & set((self.who or {}).get("scopes", ())))

    async def get(self, path: str, **params: str) -> Json:
        return await self.api.get(self.person, path, params)

    async def every(self, *paths: str) -> list[Json]:
        """Several answers at once."""
        return list(await asyncio.gather(*(self.get(path) for path in paths)))

    async def post(self, path: str, body: Json | None = None) -> Json:
        return await self.api.post(self.person, path, body or {})

    async def delete(self, path: str) -> Json:
        return await self.api.delete(self.person, path)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return HTMLResponse(self.text(template, **values), status)

    def text(self, template: str, **values: Any) -> str:
        theme = self.request.cookies.get("theme", "")
        shared = {
            "visit": self,
            "who": self.who,
            "role": (self.who or {}).get("role", ""),
            "t": self.language,
            "navigation": [each for each in NAVIGATION if self.who and each.is_for(self.who)],
            "here": self.request.url.path,
            "address": self.address,
            "theme": theme if theme in THEMES else "auto",
            "next_theme": THEMES[(THEMES.index(theme) + 1) % len(THEMES)] if theme in THEMES else THEMES[1],
            "done": self.language.either(f"done.{self.request.query_params.get('done', '')}", ""),
        }
        return self.renderer.render(template, shared | values)

    def go(self, address: str, done: str = "") -> Response:
        """To another page, with a word on what was done."""
        mark = "&" if "?" in address else "?"
        return RedirectResponse(f"{address}{mark}done={done}" if done else address, 303)


async def visit(request: Request) -> Visit:
    """Anybody's."""
    state = request.app.state
    peer = request.client.host if request.client else ""
    person = Person(
        session=security.session(request.cookies),
        address=security.address(request.headers, peer, state.settings.proxies),
    )
    code = language.chosen(request.cookies.get("language"), request.headers.get("accept-language", ""))
    return Visit(request, state.api, person, Language(code), state.renderer)


async def signed_in(coming: Annotated[Visit, Depends(visit)]) -> Visit:
    """Raises SignInNeeded."""
    if not coming.person.session:
        raise SignInNeeded
    try:
        who = await coming.get("/v1/session")
    except ApiError as error:
        if error.status == 401:
            raise SignInNeeded from error
        raise
    return Visit(coming.request, coming.api, coming.person, coming.language, coming.renderer, who)


AnyVisit = Annotated[Visit, Depends(visit)]
SignedIn = Annotated[Visit, Depends(signed_in)]


def event(name: str, data: Any) -> str:
    """A server-sent event with JSON."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
