"""The console's only client: of the management API, as the signed-in person."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from starlette.requests import Request

from service.access import request_id

_CONNECT_S, _SILENCE_S = 2.0, 300.0
_READING = aiohttp.ClientTimeout(total=10.0, sock_connect=_CONNECT_S)
Json = dict[str, Any]


class ApiError(Exception):
    """The management API, or the gateway behind it, refused or did not answer. The message is for people."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code

    @property
    def is_refusal(self) -> bool:
        """Nothing was done. After other errors something may have been."""
        return 400 <= self.status < 500


@dataclass(frozen=True)
class Person:
    """A caller: the session's secret, empty without one, and the network address."""

    session: str
    address: str


class Api:
    """All methods raise ApiError."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self._http, self._url, self._token = http, url.rstrip("/"), token

    async def get(self, person: Person, path: str, params: Mapping[str, str] | None = None) -> Json:
        return await self._asked(person, "GET", path, params=params or {}, timeout=_READING)

    async def post(self, person: Person, path: str, body: Mapping[str, Any]) -> Json:
        return await self._asked(person, "POST", path, json=body)

    async def delete(self, person: Person, path: str) -> Json:
        return await self._asked(person, "DELETE", path)

    async def upload(self, person: Person, request: Request) -> Json:
        """A form with a file, passed on as it comes: it is never whole in memory."""
        headers = {name: value for name in ("content-type", "content-length") if (value := request.headers.get(name))}
        return await self._asked(person, "POST", "/v1/files", data=request.stream(), headers=headers)

    async def content(self, person: Person, path: str) -> AsyncIterator[bytes]:
        """The pieces of a file."""
        async with self._answer(person, "GET", path) as answer:
            async for piece in answer.content.iter_any():
                yield piece

    async def stream(self, person: Person, path: str, body: Mapping[str, Any]) -> AsyncIterator[bytes]:
        """The lines of a streamed answer."""
        async with self._answer(person, "POST", path, json=body) as answer:
            while line := await answer.content.readline():
                yield line

    async def _asked(self, person: Person, method: str, path: str, **options: Any) -> Json:
        async with self._answer(person, method, path, **options) as answer:
            value: Json = json.loads(await answer.read())
            return value

    @asynccontextmanager
    async def _answer(
        self, person: Person, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._http.request(
                method, f"{self._url}{path}", headers={**(headers or {}), **self._headers(person)}, **options
            ) as answer:
                if answer.status >= 400:
                    raise ApiError(answer.status, *_said(await answer.read()))
                yield answer
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ApiError(503, "") from error

    def _headers(self, person: Person) -> dict[str, str]:
        own = {"x-quiver-console": self._token, "x-quiver-address": person.address, "x-request-id": request_id.get()}
        return own | ({"authorization": f"Bearer {person.session}"} if person.session else {})


def _said(body: bytes) -> tuple[str, str]:
    """The message and the code."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"]), str(error.get("code") or "")
    except (ValueError, KeyError, TypeError):
        return "", ""


@asynccontextmanager
async def connect(url: str, token: str) -> AsyncIterator[Api]:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
    async with aiohttp.ClientSession(timeout=timeout, read_bufsize=2**20) as http:
        yield Api(http, url, token)
