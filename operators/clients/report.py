"""What a neighbour last said of itself, until it has been silent for too long."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# A neighbour that restarts on a busy machine is back within this; what it does goes on meanwhile, and its last report
# stands. An engine that died with its agent refuses connections, which gateways see for themselves.
GRACE_S = 60.0


class Report(Generic[T]):
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._value: T | None = None
        self._heard = 0.0

    def hear(self, value: T) -> None:
        self._value, self._heard = value, self._clock()

    @property
    def current(self) -> T | None:
        """None before the first word, and after a silence longer than the grace."""
        return self._value if self._clock() - self._heard <= GRACE_S else None
