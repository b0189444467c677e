"""When each base model was last asked for at this gateway."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contract.gateway import BaseUses as Uses
from serving.gateway.in_flight import InFlight


class BaseUses:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._under_way = InFlight()
        self._ended: dict[str, float] = {}

    @contextmanager
    def hold(self, base: str) -> Iterator[None]:
        try:
            with self._under_way.hold(base):
                yield
        finally:
            self._ended[base] = self._clock()

    @property
    def current(self) -> Uses:
        now = self._clock()
        idle = {base: now - at for base, at in self._ended.items()}
        return Uses(idle_s=idle | dict.fromkeys(self._under_way.counts(), 0.0))
