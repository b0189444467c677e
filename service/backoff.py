"""How long to wait before the next try (pure)."""

from dataclasses import dataclass

_MOST_DOUBLINGS = 60  # beyond it a float would overflow


@dataclass(frozen=True)
class Backoff:
    """Doubles with each failure, from `first_s` up to `last_s`, both in seconds."""

    first_s: float
    last_s: float

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, at least one."""
        return min(self.first_s * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), self.last_s)
