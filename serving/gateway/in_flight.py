"""Counts running requests by name: by engine name for draining, by a replica's URL for load balancing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class InFlight:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        self._counts[name] += 1
        try:
            yield
        finally:
            self._counts[name] -= 1
            if not self._counts[name]:
                del self._counts[name]

    def count(self, name: str) -> int:
        return self._counts[name]

    def counts(self) -> dict[str, int]:
        return dict(self._counts)
