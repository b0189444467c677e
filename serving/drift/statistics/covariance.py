"""How the residuals of hours scatter and go together: the yardstick of a window's residuals.

Changes of topics with much scatter say little; a direction in which the samples hardly ever moved says much. So a
distance is the squared length of a window's residuals after whitening (Hotelling's T²). Without drift it is about chi
square, with as many degrees of freedom as there are independent numbers in a sample.
"""

from dataclasses import dataclass

import numpy as np

from serving.drift.statistics.season import Matrix

# Of the mean variance, added to each direction: nearly constant directions are not blown up.
_RIDGE = 0.05
# The least variance: a sample that was always the same may differ in 1 of 500 by chance.
_LEAST = 0.002


@dataclass(frozen=True)
class Covariance:
    """Of one sample: `products` (width, width) are the sums of the hours' outer products, of `units` samples."""

    products: Matrix
    units: float

    def without(self, residuals: Matrix, units: float) -> "Covariance":
        """Leaves out some of its hours, by their residuals (H, width)."""
        return Covariance(self.products - residuals.T @ residuals, self.units - units)

    def distance(self, residuals: Matrix, units: float) -> float:
        """The squared length of the whitened sum of residuals (H, width), by its number of samples."""
        total = residuals.sum(axis=0)
        width, matrix = len(total), self.products / self.units
        added = max(_LEAST, _RIDGE * float(np.trace(matrix)) / width)
        return float(total @ np.linalg.solve(matrix + added * np.eye(width), total)) / units


def covariance(residuals: Matrix, units: float) -> Covariance:
    """Of hours with the residuals (H, width) and `units` samples together."""
    return Covariance(residuals.T @ residuals, units)
