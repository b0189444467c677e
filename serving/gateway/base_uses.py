"""When each base model was last asked for at this gateway."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contract.gateway import BaseUses as Uses


class BaseUses:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._under_way: Counter[str] = Counter()
        self._ended: dict[str, float] = {}

    @contextmanager
    def hold(self, base: str) -> Iterator[None]:
        self._under_way[base] += 1
        try:
            yield
        finally:
            self._under_way[base] -= 1
            self._ended[base] = self._clock()

    @property
    def current(self) -> Uses:
        now = self._clock()
        idle = {base: now - at for base, at in self._ended.items()}
        return Uses(idle_s=idle | {base: 0.0 for base, count in self._under_way.items() if count})
