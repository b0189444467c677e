"""The number that changes with every change of status, and the waiting for it."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from threading import Lock

COALESCE_SECONDS = 0.1  # a burst of changes is told once

Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Event]


class Revision:
    """Counts on from the clock, so that it does not repeat after a restart."""

    def __init__(self) -> None:
        self.value = int(time.time() * 1_000)
        self._waiters: set[Waiter] = set()
        self._lock = Lock()

    def bump(self) -> None:
        """From any thread."""
        with self._lock:
            self.value += 1
            waiting = tuple(self._waiters)
        for loop, changed in waiting:
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits
                loop.call_soon_threadsafe(changed.set)

    async def differs(self, seen: int, seconds: float) -> int:
        """The value, as soon as it is not `seen`, and after so many seconds in any case."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._registered(waiter):
            if self.value == seen:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(waiter[1].wait(), seconds)
                    await asyncio.sleep(COALESCE_SECONDS)
        return self.value

    @contextlib.contextmanager
    def _registered(self, waiter: Waiter) -> Iterator[None]:
        with self._lock:
            self._waiters.add(waiter)
        try:
            yield
        finally:
            with self._lock:
                self._waiters.discard(waiter)
