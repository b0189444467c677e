"""One request and its response in raw ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html)."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any, TypeVar

import orjson

from service.access import REQUEST_ID, named
from serving.gateway.errors import ApiError, TooLarge, TooSlow

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Result = TypeVar("Result")

JSON = {"content-type": "application/json"}
# Proxies must neither delay nor cache a stream.
EVENT_STREAM = {"content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no"}


class CallerGone(Exception):
    """The caller closed the connection."""


class RawRequest:
    """`started` is true once the response has begun: from then on an error can only be sent as an event.

    `request_id` may come from the caller, `unique_id` never does. `headers` are sent with every response.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.path: str = scope["path"]
        self.unique_id = uuid.uuid4().hex
        self.headers: dict[str, str] = {}
        self.started = False
        self.status = 0
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._receive = receive
        self._is_read = False  # true once the whole body was received by `pieces`
        self._send = send
        # HTTP/1.0 has no chunked encoding: streams are sent as a whole.
        self._kept: list[bytes] | None = [] if scope["http_version"] == "1.0" else None
        self.request_id = named(self.header(REQUEST_ID))

    def header(self, name: str) -> str:
        """The first header of that name, "" if there is none."""
        encoded = name.encode()
        return next((value.decode("latin-1") for key, value in self._headers if key == encoded), "")

    def all_headers(self, name: str) -> list[str]:
        encoded = name.encode()
        return [value.decode("latin-1") for key, value in self._headers if key == encoded]

    async def body(self, limit: int, limit_s: float) -> bytes:
        """The body, of at most `limit` bytes within `limit_s` seconds. Raises TooLarge, TooSlow and CallerGone."""
        try:
            async with asyncio.timeout(limit_s):
                return await self._body(limit)
        except TimeoutError as error:
            raise TooSlow(
                f"The body did not come within {limit_s:g} s; send it again.", code="body_too_slow"
            ) from error

    async def _body(self, limit: int) -> bytes:
        parts, size = [], 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise CallerGone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise TooLarge(f"The body is larger than {limit} bytes.", code="body_too_large")
            if not message.get("more_body", False):
                return b"".join(parts)

    async def pieces(self, limit_s: float) -> AsyncIterator[bytes]:
        """The body as it arrives, of any size; each piece must come within `limit_s` seconds. Raises TooSlow and
        CallerGone."""
        while not self._is_read:
            try:
                async with asyncio.timeout(limit_s):
                    message = await self._receive()
            except TimeoutError as error:
                raise TooSlow(f"Nothing came for {limit_s:g} s; send it again.", code="body_too_slow") from error
            if message["type"] == "http.disconnect":
                raise CallerGone
            self._is_read = not message.get("more_body", False)
            yield message.get("body", b"")

    async def drop_rest(self, most: int, limit_s: float) -> None:
        """Reads the rest of a body, up to `most` bytes: most clients read an answer only after they have sent all."""
        left = most
        async for piece in self.pieces(limit_s):
            left -= len(piece)
            if left < 0:
                return

    async def run_until_caller_leaves(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Does the work. If the caller closes the connection, cancels it and raises CallerGone."""
        task = asyncio.ensure_future(work)
        watcher = asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise CallerGone
            return task.result()
        finally:
            watcher.cancel()
            task.cancel()
            await asyncio.gather(task, watcher, return_exceptions=True)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        self.started, self.status = True, status
        named = {**self.headers, **headers, REQUEST_ID: self.request_id}
        pairs = [(key.encode(), value.encode("latin-1")) for key, value in named.items()]
        self._start: Message = {"type": "http.response.start", "status": status, "headers": pairs}
        if self._kept is None or "content-length" in headers:
            self._kept = None
            await self._send(self._start)

    async def write(self, body: bytes, *, more: bool) -> None:
        if self._kept is not None:
            self._kept.append(body)
            if more:
                return
            body = b"".join(self._kept)
            self._start["headers"].append((b"content-length", str(len(body)).encode()))
            await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def respond(self, status: int, body: bytes, headers: Mapping[str, str] = JSON) -> None:
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self.write(body, more=False)

    async def respond_json(self, value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        await self.respond(status, orjson.dumps(value), {**JSON, **(headers or {})})

    async def fail(self, error: ApiError) -> None:
        retry = {} if error.retry_after_s is None else {"retry-after": str(error.retry_after_s)}
        headers = {**error.headers, **retry}
        await self.respond_json(error.body(), status=error.status, headers=headers)
