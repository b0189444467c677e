"""The worker's only HTTP client for pages: public addresses, few redirects, bounded answers, one request a host at a
time."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from retrieval.web.address import joined
from service.public_addresses import NOT_PUBLIC, AddressGuard

AGENT = "QuiverBot"
USER_AGENT = f"{AGENT}/1 (indexes pages for the assistant of whoever asked for them)"
_REDIRECTS = (301, 302, 303, 307, 308)
MOST_HOSTS = 1_000  # in memory
_SILENCE_S = 20.0
_TOTAL_S = 120.0


class PageError(Exception):
    """A page cannot be had now; the message says why."""


@dataclass(frozen=True)
class Answer:
    """`address` is where the redirects led to."""

    address: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def redirect(self) -> str | None:
        """The target of a redirect; None for another answer. Raises PageError for a target that is no page."""
        if self.status not in _REDIRECTS or "location" not in self.headers:
            return None
        target = joined(self.address, self.headers["location"])
        if target is None:
            raise PageError("it redirects to an address of no page")
        return target

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class WebClient:
    def __init__(self, session: aiohttp.ClientSession, most_bytes: int, delay_s: float) -> None:
        self._session, self._most_bytes, self._delay_s = session, most_bytes, delay_s
        self._hosts: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._last: dict[str, float] = {}

    async def get(self, address: str, headers: Mapping[str, str], delay_s: float = 0) -> Answer:
        """The answer with any status; redirects are the caller's. Raises PageError."""
        return await self._one(address, headers, delay_s)

    async def _one(self, address: str, headers: Mapping[str, str], delay_s: float) -> Answer:
        """One request a host at a time, over all tenants, each a moment after the one before."""
        host = urlsplit(address).hostname or ""
        async with self._hosts[host]:
            pause = self._last.get(host, 0.0) + max(self._delay_s, delay_s) - time.monotonic()
            await asyncio.sleep(max(0.0, pause))
            try:
                return await self._asked(address, headers)
            finally:
                self._last[host] = time.monotonic()
                if len(self._last) > MOST_HOSTS:
                    self._forget_idle()

    def _forget_idle(self) -> None:
        """Of hosts that nobody waits for."""
        for host in [host for host, lock in self._hosts.items() if not lock.locked()]:
            self._hosts.pop(host, None)
            self._last.pop(host, None)

    async def _asked(self, address: str, headers: Mapping[str, str]) -> Answer:
        try:
            url = URL(address, encoded=True)
            async with self._session.get(url, headers=headers, allow_redirects=False) as response:
                body = await self._body(response)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            cause = str(getattr(error, "os_error", ""))
            if NOT_PUBLIC in cause:
                raise PageError(f"its host cannot be used: {cause}") from error
            raise PageError(f"its server cannot be reached or understood ({type(error).__name__})") from error
        named = {name.lower(): value for name, value in response.headers.items()}
        return Answer(address, response.status, named, body)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > self._most_bytes:
                raise PageError(f"it has more than {self._most_bytes:,} bytes")
        return bytes(body)


@asynccontextmanager
async def connected(*, allow_private: bool, most_bytes: int, delay_s: float) -> AsyncIterator[WebClient]:
    """Answers are asked for uncompressed: a small one could unpack to any size."""
    guard = AddressGuard(allow_private=allow_private)
    connector = aiohttp.TCPConnector(force_close=True, socket_factory=guard.socket)
    timeout = aiohttp.ClientTimeout(total=_TOTAL_S, sock_connect=_SILENCE_S, sock_read=_SILENCE_S)
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=headers, auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:  # fmt: skip
        yield WebClient(session, most_bytes, delay_s)
