"""How far windows without drift are from their own reference: the spread that a new window is judged against.

Permutations of single samples show the spread between samples; days, conversations and topics make windows differ by
more. So windows of the reference itself are left out in turn and compared with the rest. The logarithm of the distance
is standardised by their mean and spread.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.drift.hours import DAY, Hours
from serving.drift.statistics.season import WEEKEND_DAYS, Season, distance, season

# Windows of the reference begin this part of a window apart.
STEP = 4
# The spread of a tenant with few windows is drawn towards the fleet's, which weighs as much as so many windows.
FLEET_WEIGHT = 20
FEWEST = 8


@dataclass(frozen=True)
class Calibration:
    """Of one reference: `logs` are the logarithms of its own windows' distances, `units` its samples, and `size` those
    of a window."""

    fitted: Season
    logs: NDArray[np.float64]
    units: float
    size: int

    @property
    def spread(self) -> float:
        return float(self.logs.std(ddof=1))

    def standardised(self, fleet_spread: float | None) -> NDArray[np.float64]:
        """The scores of the reference's own windows, as wide as those of new ones: a mean is nearer to its own windows
        than to others."""
        nearer = np.sqrt(1 - self.size / self.units)
        return np.asarray((self.logs - self.logs.mean()) / (self._shrunk(fleet_spread) * nearer), np.float64)

    def score(self, window: Hours, fleet_spread: float | None) -> float:
        """How many spreads the window's distance is above the mean of the reference's own windows."""
        error = self._shrunk(fleet_spread) * np.sqrt(1 + window.units / self.units)
        return float((np.log(distance(window, self.fitted)) - self.logs.mean()) / error)

    def _shrunk(self, fleet_spread: float | None) -> float:
        if fleet_spread is None:
            return self.spread
        count = len(self.logs)
        return float(np.sqrt((count * self.spread**2 + FLEET_WEIGHT * fleet_spread**2) / (count + FLEET_WEIGHT)))


def calibrated(reference: Hours, size: int) -> Calibration | None:
    """By windows of at least `size` samples; None if the reference has too few of them."""
    with_weekends = reference.span >= WEEKEND_DAYS * DAY
    whole = season(reference, with_weekends=with_weekends)
    windows = list(_windows(reference, size))
    if len(windows) < FEWEST:
        return None
    left_out = ((window, whole.without(season(window, with_weekends=with_weekends))) for window in windows)
    logs = np.array([np.log(distance(window, rest)) for window, rest in left_out])
    return Calibration(whole, logs, reference.units, size)


def _windows(reference: Hours, size: int) -> list[Hours]:
    """Spans of whole hours with at least `size` samples each, which overlap."""
    before = np.concatenate([[0.0], np.cumsum(reference.count, dtype=np.float64)])
    starts = np.unique(np.searchsorted(before, np.arange(0, before[-1] - size, size / STEP)))
    ends = np.searchsorted(before, before[starts] + size)
    return [
        Hours(reference.hour[a:b], reference.count[a:b], reference.total[a:b])
        for a, b in zip(starts, ends, strict=True)
        if b < len(before)
    ]
