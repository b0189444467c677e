"""Speaks HTTP to a public API of the platform with a caller's key."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

_CONNECT_S = 5.0
_SILENCE_S = 120.0

Object = Mapping[str, Any]


class RefusedError(Exception):
    """The API refused a request, or did not answer; the message says why."""


@dataclass(frozen=True)
class Reply:
    """A body, or a refusal in the API's words, which may ask for a later request."""

    body: Object
    status: int = 200
    refusal: str = ""
    retry_after_s: float | None = None


class PublicClient:
    """`service` is the API's name in messages. All methods raise RefusedError."""

    def __init__(self, session: aiohttp.ClientSession, url: str, service: str) -> None:
        self._session, self._url, self._service = session, url.rstrip("/"), service

    @property
    def url(self) -> str:
        return self._url

    async def answer(self, method: str, path: str, **options: Any) -> Object:
        reply = await self.reply(method, path, **options)
        if reply.refusal:
            raise RefusedError(reply.refusal)
        return reply.body

    async def reply(self, method: str, path: str, **options: Any) -> Reply:
        """A refusal of the API is a value here; only its silence is an error."""
        try:
            async with self._session.request(method, f"{self._url}{path}", **options) as response:
                body = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise RefusedError(f"The {self._service} at {self._url} does not answer: {error}.") from error
        if response.status < 400:
            return Reply(body)
        refusal = _reason(body) or f"{self._url} answered {response.status} to {method} {path}."
        wait = response.headers.get("Retry-After", "")
        return Reply({}, response.status, refusal, float(wait) if wait.isdecimal() else None)

    async def listed(self, path: str) -> AsyncIterator[Object]:
        """All objects of a list in pages."""
        after = ""
        while True:
            page = await self.answer("GET", path, params={"limit": "100"} | ({"after": after} if after else {}))
            for item in page["data"]:
                yield item
            if not page["has_more"]:
                return
            after = page["last_id"]


def _reason(body: Any) -> str:
    """What an API says; empty for the answer of something else on the way."""
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else ""


@asynccontextmanager
async def connected(url: str, key: str, service: str) -> AsyncIterator[PublicClient]:
    headers = {"Authorization": f"Bearer {key}"}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield PublicClient(session, url, service)
