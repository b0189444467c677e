"""Requests that wait for an engine to start, because none runs while nobody asks."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from service.series import Gauge
from serving.gateway.errors import Unavailable, unavailable

# Seconds after which a caller should try again: engines take longer.
RETRY_S = 30
# One tenant's requests take one of so many parts.
SHARES = 4


class HeldRequests:
    """At most `most` at this gateway, and of each tenant a part of them."""

    def __init__(self, most: int, gauge: Gauge) -> None:
        self._most = most
        self._gauge = gauge
        self._most_of_tenant = max(1, most // SHARES)
        self._count = 0
        self._of: Counter[str] = Counter()

    @contextmanager
    def one(self, base: str, tenant: str) -> Iterator[None]:
        """Raises Unavailable beyond a limit."""
        if self._count >= self._most or self._of[tenant] >= self._most_of_tenant:
            raise starting("An engine is starting, and too many requests wait for one")
        self._count += 1
        self._of[tenant] += 1
        try:
            with self._gauge.labels(base).one_more():
                yield
        finally:
            self._count -= 1
            self._of[tenant] -= 1
            self._of += Counter()  # forgets tenants without any


def starting(problem: str) -> Unavailable:
    return unavailable(problem, "engine_starting", retry_after_s=RETRY_S)
