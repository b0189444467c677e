"""The false-alarm budget: from alarms a month over the fleet to the level of one test.

A test at level alpha raises a false alarm with probability alpha. Expectations add up even for dependent tests, so the
expected number of false alarms in a month is at most the number of tests times alpha. A series is tested once for every
window of samples: the fleet's samples of a month, divided by the size of a window, are its tests.
"""

from dataclasses import dataclass

MONTH_H = 30 * 24

# The tail of scores is extrapolated, and too light far out: levels are divided by this (`make bench-drift`).
SAFETY = 6.0
# With a provisional reference.
PROVISIONAL_SAFETY = 12.0


@dataclass(frozen=True)
class Rate:
    """Samples of one series, in so many hours."""

    units: float
    hours: int

    @property
    def a_month(self) -> float:
        return self.units / max(1, self.hours) * MONTH_H


def level(false_alarms: float, fleet_units_a_month: float, window_units: int, *, provisional: bool) -> float:
    """The level of one test, so that at most `false_alarms` are expected in 30 days over all series."""
    tests = max(1.0, fleet_units_a_month / window_units)
    return min(1.0, false_alarms / tests) / (PROVISIONAL_SAFETY if provisional else SAFETY)
