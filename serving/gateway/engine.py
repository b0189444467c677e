"""The gateway's only HTTP client of engines."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson

from service.addresses import UNIX, connector, root
from serving.gateway import trace_context

# vLLM's uvicorn closes an idle connection after 5 s; a connection kept longer fails at its next use.
_KEEPALIVE_S = 3.0


class EngineError(Exception):
    """The engine failed, was too slow, or broke off its answer."""


class EngineNeverBegan(EngineError):
    """The engine did not begin to answer, e.g. the connection was lost: another engine may be asked."""


class Answer:
    """An engine's response with its headers received and its body pending."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self._response = response

    async def body(self) -> bytes:
        try:
            return await self._response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EngineError(type(error).__name__) from error

    async def chunks(self, first_s: float) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises EngineError if it breaks off, or does not begin within `first_s` seconds:
        callers must not wait for a hanging engine until their own timeouts."""
        try:
            async with asyncio.timeout(first_s):
                first = await self._response.content.readany()
            if first:
                yield first
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EngineError(type(error).__name__) from error


class Engine:
    """A client of all engines. TCP engines share a connection pool; an engine on a Unix socket has its own pool."""

    def __init__(self, stack: AsyncExitStack, api_keys: Sequence[str], timeout_s: float) -> None:
        """The second key is for engines that were started before the first key existed."""
        self._stack = stack
        self._keys = tuple(f"Bearer {key}" for key in api_keys if key)
        self._key_of: dict[str, str] = {}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=2)
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def _session(self, url: str) -> aiohttp.ClientSession:
        key = url if url.startswith(UNIX) else ""
        if key not in self._sessions:
            session = aiohttp.ClientSession(
                connector=connector(url, limit=0, keepalive_timeout=_KEEPALIVE_S),
                headers={"Content-Type": "application/json"},
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
            self._sessions[key] = session
            await self._stack.enter_async_context(session)
        return self._sessions[key]

    @asynccontextmanager
    async def post(
        self, url: str, path: str, body: dict[str, Any], *, request_id: str, headers_timeout_s: float | None = None
    ) -> AsyncIterator[Answer]:
        """`request_id` is in the engine's log, and must be unique. If no headers arrive within `headers_timeout_s`, the
        answer never began: engines send a stream's headers before its first token.

        Leaving the context closes the connection, and cancels the engine's work. Raises EngineNeverBegan if the engine
        sent no response, or refused all keys; EngineError if it took too long overall, or failed otherwise.
        """
        try:
            async with asyncio.timeout(headers_timeout_s) as limit:
                response = await self._sent(url, path, orjson.dumps(body), request_id)
        except (aiohttp.ClientOSError, aiohttp.ConnectionTimeoutError, aiohttp.ServerDisconnectedError) as error:
            raise EngineNeverBegan(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            if limit.expired():
                raise EngineNeverBegan(f"no headers within {headers_timeout_s} s") from error
            raise EngineError(type(error).__name__) from error
        try:
            yield Answer(response)
        finally:
            response.close()  # a fully read connection is already back in the pool

    async def _sent(self, url: str, path: str, body: bytes, request_id: str) -> aiohttp.ClientResponse:
        """Sends with the key that this engine accepted last; if it is refused, with the other key."""
        session = await self._session(url)
        last = self._key_of.get(url, self._keys[0])
        for key in (last, *(key for key in self._keys if key != last)):
            headers = {"x-request-id": request_id, "Authorization": key, **trace_context.passed_on.get()}
            response = await session.post(root(url) + path, data=body, headers=headers)
            if response.status != HTTPStatus.UNAUTHORIZED:
                self._key_of[url] = key
                return response
            response.close()
        raise EngineNeverBegan("the engine accepts none of our keys: it was started with another key")


@asynccontextmanager
async def connect(api_keys: Sequence[str], timeout_s: float) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        yield Engine(stack, api_keys, timeout_s)
