"""Sends a service the newest value until it accepts it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from operators.clients.errors import PeerError

T = TypeVar("T")

# Seconds between tries while a service does not answer.
RETRY_S = 0.3
# After so many seconds the value is sent again, in case the service lost it.
REPEAT_S = 60.0


class LatestPusher(Generic[T]):
    """Only the latest value is sent; earlier unsent ones are dropped."""

    def __init__(self, push: Callable[[T], Awaitable[None]]) -> None:
        self._push = push
        self._value: T | None = None
        self._due = asyncio.Event()

    def set(self, value: T) -> None:
        if value != self._value:
            self._value = value
            self._due.set()

    def repeat(self) -> None:
        """Sends the value again: the service may have restarted."""
        self._due.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REPEAT_S):
                    await self._due.wait()
            self._due.clear()
            if self._value is not None:
                await self._try(self._value)

    async def _try(self, value: T) -> None:
        try:
            await self._push(value)
        except PeerError:
            self._due.set()
            await asyncio.sleep(RETRY_S)
