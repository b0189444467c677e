"""Requests to scan single knowledge bases: their uploads changed."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock

from retrieval.ingest.task_failures import Key

REST = 4.0  # between two scans of a knowledge base, times the duration of the first
PAUSE_SECONDS = 0.05  # while a requested scan has to wait


class ScanRequests:
    """`add` is safe in any thread. A knowledge base whose last scan took long has to wait for the next one: uploads of
    one tenant into a large knowledge base leave time for others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._requested: set[Key] = set()
        self._rests_until: dict[Key, float] = {}

    def add(self, keys: Iterable[Key]) -> None:
        with self._lock:
            self._requested.update(keys)

    def take(self) -> frozenset[Key]:
        """The knowledge bases that are due for a scan. Their requests are done with it."""
        now = self._clock()
        self._rests_until = {key: until for key, until in self._rests_until.items() if until > now}
        with self._lock:
            due = frozenset(self._requested - self._rests_until.keys())
            self._requested -= due
        return due

    @contextmanager
    def scanning(self, key: Key) -> Iterator[None]:
        """Around a scan, so that the next one waits in proportion."""
        begun = self._clock()
        try:
            yield
        finally:
            now = self._clock()
            self._rests_until[key] = now + REST * (now - begun)

    @property
    def pause(self) -> float:
        """Seconds until requests should be looked for again."""
        return PAUSE_SECONDS if self._requested else math.inf
