"""A queue of keys: each waits at most once, and is handled by one worker at a time; many are handled in parallel.

Like client-go's work queue (k8s.io/client-go/util/workqueue).
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from kube.errors import KubeError
from service.backoff import Backoff

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
Work = Callable[[K], Awaitable[float | None]]

WORKERS = 16
LONGEST_RETRY_S = 60.0
BACKOFF = Backoff(first_s=0.1, last_s=LONGEST_RETRY_S)


class Queue(Generic[K]):
    """Keys added before `run` wait for it.

    After an error a key is retried with a growing delay, after a permanent refusal with a long one.
    """

    def __init__(self, *, observe: "Observer | None" = None) -> None:
        self._observe = observe or Observer()
        self._ready: deque[K] = deque()
        self._waiting: set[K] = set()
        self._active: set[K] = set()
        self._later: dict[K, tuple[float, asyncio.TimerHandle]] = {}
        self._failures: dict[K, int] = {}
        self._has_ready = asyncio.Event()

    def add(self, key: K) -> None:
        """A key already waiting is not added twice; a key being handled is handled again afterwards."""
        self._cancel_timer(key)
        if key in self._waiting:
            return
        self._waiting.add(key)
        if key not in self._active:
            self._ready.append(key)
            self._has_ready.set()

    def add_later(self, key: K, delay_s: float) -> None:
        """Adds the key after the delay, or earlier if it is already due earlier."""
        at = time.monotonic() + delay_s
        before = self._later.get(key)
        if before and before[0] <= at:
            return
        self._cancel_timer(key)
        self._later[key] = (at, asyncio.get_running_loop().call_later(delay_s, self.add, key))

    def __len__(self) -> int:
        return len(self._waiting)

    async def emptied(self) -> None:
        """Returns once no key waits: a moment, under a constant stream of changes."""
        while self._waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def run(self, work: Work[K], workers: int = WORKERS) -> None:
        """Runs until cancelled. `work` handles a key. Its result is the number of seconds until the key is handled
        again; after None, it is handled again only after a change."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._worker(work))
        finally:
            for _, timer in self._later.values():
                timer.cancel()

    async def _worker(self, work: Work[K]) -> None:
        while True:
            while not self._ready:
                self._has_ready.clear()
                await self._has_ready.wait()
            await self._one(self._ready.popleft(), work)
            await asyncio.sleep(0)  # most work waits for nothing, and must not keep what was decided from being sent

    async def _one(self, key: K, work: Work[K]) -> None:
        self._waiting.discard(key)
        self._active.add(key)
        began = time.monotonic()
        error: Exception | None = None
        try:
            again = await work(key)
            self._failures.pop(key, None)
            if again is not None:
                self.add_later(key, again)
        except Exception as failure:
            error = failure
            self._failed(key, failure)
        finally:
            self._active.discard(key)
            if key in self._waiting:
                self._ready.append(key)
                self._has_ready.set()
        self._observe.done(key, time.monotonic() - began, error)

    def _failed(self, key: K, error: Exception) -> None:
        attempts = self._failures[key] = self._failures.get(key, 0) + 1
        if isinstance(error, KubeError) and error.terminal:
            logger.error("%s: the API server refuses the request, retry in %.0f s: %s", key, LONGEST_RETRY_S, error)
            self.add_later(key, LONGEST_RETRY_S)  # a granted permission or raised quota causes no event here
            return
        delay = BACKOFF.delay(attempts) * random.uniform(0.5, 1.0)  # noqa: S311
        if isinstance(error, KubeError):
            delay = max(delay, error.retry_after or 0.0)
            logger.warning("%s: retry in %.1f s: %s", key, delay, error)
        else:
            logger.error("%s: retry in %.1f s", key, delay, exc_info=error)
        self.add_later(key, delay)

    def _cancel_timer(self, key: K) -> None:
        before = self._later.pop(key, None)
        if before:
            before[1].cancel()


class Observer:
    """Called after each run of `work`; a subclass records metrics."""

    def done(self, key: Hashable, seconds: float, error: Exception | None) -> None:
        pass
