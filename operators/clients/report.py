"""The last report of a service, until it has been silent for too long."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# A service restarts within so many seconds even on a busy machine; until then its last report stands. If an engine died
# with its agent, the engine refuses connections, and gateways notice that by themselves.
GRACE_S = 60.0


class Report(Generic[T]):
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._value: T | None = None
        self._heard = 0.0

    def hear(self, value: T) -> None:
        self._value, self._heard = value, self._clock()

    @property
    def last(self) -> T | None:
        """However long ago it was."""
        return self._value

    @property
    def current(self) -> T | None:
        """The last report; None before the first one, and after GRACE_S seconds without another."""
        return self._value if self._clock() - self._heard <= GRACE_S else None
