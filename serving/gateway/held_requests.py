"""Requests that wait for an engine to start, because none runs while nobody asks."""

from collections.abc import Iterator
from contextlib import contextmanager

from service.series import Gauge
from serving.gateway.errors import Unavailable, unavailable

# Seconds after which a caller should try again: engines take longer.
RETRY_S = 30


class HeldRequests:
    """At most `most` at this gateway; each also counts as one of its tenant's concurrent requests."""

    def __init__(self, most: int, gauge: Gauge) -> None:
        self._most = most
        self._gauge = gauge
        self._count = 0

    @contextmanager
    def one(self, base: str) -> Iterator[None]:
        """Raises Unavailable beyond the limit."""
        if self._count >= self._most:
            raise starting("An engine is starting, and too many requests wait for one")
        self._count += 1
        try:
            with self._gauge.labels(base).one_more():
                yield
        finally:
            self._count -= 1


def starting(problem: str) -> Unavailable:
    return unavailable(problem, "engine_starting", retry_after_s=RETRY_S)
