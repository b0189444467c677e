"""A number that grows with every change, and callers waiting for the next one: long polls of services."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from threading import Lock

MAX_WAIT_S = 60.0

_Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Event]


class Changes:
    """Starts from the clock, so numbers do not repeat after a restart. Waiters get changes within `settle_s` as one."""

    def __init__(self, *, settle_s: float = 0.0) -> None:
        self.number = int(time.time() * 1_000)
        self._settle_s = settle_s
        self._waiters: set[_Waiter] = set()
        self._lock = Lock()

    def add(self) -> None:
        """Counts a change. Safe in any thread."""
        with self._lock:
            self.number += 1
            waiting = tuple(self._waiters)
        for loop, changed in waiting:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(changed.set)

    async def wait_beyond(self, number: int, seconds: float) -> int:
        """The number, as soon as it differs from the caller's, or after `seconds` (at most MAX_WAIT_S) in any case."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._registered(waiter):
            if self.number == number:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(waiter[1].wait(), min(seconds, MAX_WAIT_S))
                    await asyncio.sleep(self._settle_s)
        return self.number

    @contextlib.contextmanager
    def _registered(self, waiter: _Waiter) -> Iterator[None]:
        with self._lock:
            self._waiters.add(waiter)
        try:
            yield
        finally:
            with self._lock:
                self._waiters.discard(waiter)
