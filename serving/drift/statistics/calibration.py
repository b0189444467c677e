"""How far windows without drift are from their own reference: the spread that a new window is judged against.

Permutations of single samples show the spread between samples; days, conversations and topics make windows differ by
more. So windows of the reference itself are left out in turn and compared with the rest. The cube root of a distance,
which is about normal (Wilson and Hilferty, 1931), is standardised by their mean and spread.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.drift.hours import DAY, Hours
from serving.drift.statistics.covariance import Covariance, covariance
from serving.drift.statistics.season import WEEKEND_DAYS, Season, residuals, season

# Windows of the reference begin this part of a window apart.
STEP = 2
# The inflation of a tenant with few windows is drawn towards the fleet's, which weighs as much as so many windows.
FLEET_WEIGHT = 20
FEWEST = 5


@dataclass(frozen=True)
class Calibration:
    """Of one reference: `distances` are those of its own windows, which have `size` samples on average, and `units` its
    samples."""

    fitted: Season
    covariance: Covariance
    distances: NDArray[np.float64]
    units: float
    size: float

    @property
    def inflation(self) -> float:
        """How many times wider the roots spread than those of chi square, which is due to sampling alone; at least
        1."""
        return max(1.0, float(self._roots.std(ddof=1)) / self._sampling)

    def standardised(self, fleet_inflation: float) -> NDArray[np.float64]:
        """The scores of the reference's own windows, as wide as those of new ones: a mean is nearer to its own windows
        than to others."""
        spread = self._spread(fleet_inflation) * np.sqrt(1 - self.size / self.units)
        return np.asarray((self._roots - self._roots.mean()) / spread, np.float64)

    def score(self, window: Hours, fleet_inflation: float) -> float:
        """How many spreads the window's distance is above the mean of the reference's own windows. Where traffic has
        grown, it is that of a window of their size: the misfit of a season grows with the samples."""
        grown = max(1.0, window.units / self.size)
        distance = self.covariance.distance(residuals(window, self.fitted), window.units) / grown
        spread = self._spread(fleet_inflation) * np.sqrt(1 + window.units / grown / self.units)
        return float((np.cbrt(distance / self._mean) - self._roots.mean()) / spread)

    @property
    def _mean(self) -> float:
        """The degrees of freedom: at least 1, also where a sample never changed."""
        return max(1.0, float(self.distances.mean()))

    @property
    def _roots(self) -> NDArray[np.float64]:
        return np.asarray(np.cbrt(self.distances / self._mean), np.float64)

    @property
    def _sampling(self) -> float:
        """The spread of the cube root of chi square by its mean."""
        return float(np.sqrt(2 / (9 * self._mean)))

    def _spread(self, fleet_inflation: float) -> float:
        count = len(self.distances)
        squares = count * self.inflation**2 + FLEET_WEIGHT * fleet_inflation**2
        return self._sampling * float(np.sqrt(squares / (count + FLEET_WEIGHT)))


def calibrated(reference: Hours, size: int) -> Calibration | None:
    """By windows of at least `size` samples; None if the reference has too few of them."""
    spans = _spans(reference, size)
    if len(spans) < FEWEST:
        return None
    with_weekends = reference.span >= WEEKEND_DAYS * DAY
    fitted = season(reference, with_weekends=with_weekends)
    of_hours = residuals(reference, fitted)
    whole = covariance(of_hours, reference.units)

    def left_out(first: int, end: int) -> float:
        window = reference.slice(first, end)
        rest = fitted.without(season(window, with_weekends=with_weekends))
        others = whole.without(of_hours[first:end], window.units)
        return others.distance(residuals(window, rest), window.units)

    distances = np.array([left_out(first, end) for first, end in spans])
    units = float(np.mean([reference.slice(first, end).units for first, end in spans]))
    return Calibration(fitted, whole, distances, reference.units, units)


def _spans(reference: Hours, size: int) -> list[tuple[int, int]]:
    """First and end of spans of whole hours with at least `size` samples each, which overlap."""
    before = np.concatenate([[0.0], np.cumsum(reference.count, dtype=np.float64)])
    starts = np.unique(np.searchsorted(before, np.arange(0, before[-1] - size, size / STEP)))
    ends = np.searchsorted(before, before[starts] + size)
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True) if b < len(before)]
