"""Protects the pages: headers, the origin of changes, redirects, and the session's cookie."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "__Host-session"
_SESSION = re.compile(r"qvs-[0-9a-f]{64}")
LIFE_S = 24 * 3600
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# No script and no style but our own files; the pages are in nobody's frame.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types quiver"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Sets the headers of every answer, and refuses changes that another site's page asks for. Pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if scope["method"] in _SAFE_METHODS or is_own(Headers(scope=scope)):
            await self._app(scope, receive, sending)
        else:
            await PlainTextResponse("This form was sent from another site.", 403)(scope, receive, sending)


def is_own(headers: Headers) -> bool:
    """True if a page of this console asks: by the browser's word, or else by the origin."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] == headers.get("host", "")


_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # printable ASCII without a backslash


def local(address: str) -> str:
    """The address if it is a path of this console, else the first page."""
    return address if _LOCAL.fullmatch(address) else "/"


def page_before(request: Request) -> str:
    """The page of this console that a form was sent from."""
    referrer = request.headers.get("referer", "")
    return local(referrer.partition(request.url.netloc)[2])


def session(cookies: Mapping[str, str]) -> str:
    """The session's secret; empty for a cookie that is none: a key in its place opens nothing."""
    secret = cookies.get(COOKIE, "")
    return secret if _SESSION.fullmatch(secret) else ""


def segment(part: str) -> str:
    """One part of a path, quoted. Raises HTTPException for one that leads elsewhere."""
    if part in ("", ".", ".."):
        raise HTTPException(404)
    return quote(part, safe="")


def with_session(response: Response, secret: str) -> Response:
    response.set_cookie(COOKIE, secret, max_age=LIFE_S, path="/", secure=True, httponly=True, samesite="lax")
    return response


def without_session(response: Response) -> Response:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


def address(headers: Headers, peer: str, proxies: int) -> str:
    """Of the person: as the outermost of our proxies names it."""
    if not proxies:
        return peer
    lines = ",".join(headers.getlist("x-forwarded-for"))  # a proxy may add a line of its own
    named = [each.strip() for each in lines.split(",") if each.strip()]
    return named[-proxies] if len(named) >= proxies else peer
