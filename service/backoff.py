"""How long to wait before the next try (pure)."""

from dataclasses import dataclass

_MOST_DOUBLINGS = 60  # far above any use, far below the overflow of a float (2.0 ** 1024)


@dataclass(frozen=True)
class Backoff:
    """The delay doubles with each failure, from `first_s` up to `last_s`, both in seconds."""

    first_s: float
    last_s: float

    def delay(self, failures: int) -> float:
        """Seconds to wait after `failures` (at least 1) failures in a row."""
        return min(self.first_s * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), self.last_s)
