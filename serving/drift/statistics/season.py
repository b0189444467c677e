"""What a sample's mean is at each hour of the day, and at weekends: least squares on sums by hour.

Traffic has a daily rhythm. A window of some hours differs from four weeks for that reason alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.drift.hours import DAY, Hours

HARMONICS = 3
# The effect of weekends is fitted from this many days on.
WEEKEND_DAYS = 14
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
# So many samples without a rhythm are added: hours without any are not guessed from the others.
_PRIOR = 20.0

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Season:
    """Weighted least squares by its sums, from which those of a span can be taken: `squares` is (p, p), `products`
    (p, width). `with_weekends` decides p."""

    squares: Matrix
    products: Matrix
    with_weekends: bool

    @property
    def coefficients(self) -> Matrix:
        """Shape (p, width)."""
        prior = np.full(len(self.squares), _PRIOR)
        prior[0] = 1e-9  # the mean has none
        return np.asarray(np.linalg.solve(self.squares + np.diag(prior), self.products), np.float64)

    def without(self, other: "Season") -> "Season":
        return Season(self.squares - other.squares, self.products - other.products, self.with_weekends)


def design(hours: Hours, *, with_weekends: bool) -> Matrix:
    """One row for each hour: 1, HARMONICS pairs of the hour of the day, and 1 at weekends; shape (H, p)."""
    angle = 2 * np.pi * (hours.hour % DAY) / DAY
    waves = [wave(k * angle) for k in range(1, HARMONICS + 1) for wave in (np.sin, np.cos)]
    weekday = (hours.hour // DAY + _EPOCH_WEEKDAY) % 7
    weekend = [(weekday >= 5).astype(float)] if with_weekends else []
    return np.column_stack([np.ones(len(hours)), *waves, *weekend])


def season(hours: Hours, *, with_weekends: bool) -> Season:
    rows = design(hours, with_weekends=with_weekends)
    weighted = rows * hours.count[:, np.newaxis]
    return Season(weighted.T @ rows, rows.T @ hours.total.astype(np.float64), with_weekends)


def residuals(hours: Hours, fitted: Season) -> Matrix:
    """What the sums of `hours` differ by from what is expected of these hours; shape (H, width)."""
    rows = design(hours, with_weekends=fitted.with_weekends) * hours.count[:, np.newaxis]
    return np.asarray(hours.total - rows @ fitted.coefficients, np.float64)
