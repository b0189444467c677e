"""The schedule for checking fingerprints again."""

import time

# Each version is audited once in this time, one version after the other.
AUDIT_PERIOD_S = 60.0


class Audits:
    """Spreads audits evenly, so every version has one within a period."""

    def __init__(self) -> None:
        self._turn = 0
        self._last = time.monotonic()

    def next(self, names: list[str], now: float) -> str | None:
        if not names or now - self._last < AUDIT_PERIOD_S / len(names):
            return None
        self._turn, self._last = self._turn + 1, now
        return names[self._turn % len(names)]
