"""What the references of the whole fleet say about windows without drift: calibrations, cached, and their tail."""

from collections.abc import Mapping

import numpy as np

from serving.drift.hours import Hours
from serving.drift.series import Series
from serving.drift.signal import Outcome
from serving.drift.statistics.calibration import Calibration, calibrated
from serving.drift.statistics.tail import tail_of

# The spread of the logarithm of distances without drift, by the simulation in benchmarks/drift.
FLEET_SPREAD = 0.29
# Fewer tenants say little about the fleet's spread.
FEWEST_TENANTS = 5


class Fleet:
    """Calibrations of one signal, by tenant. All methods take time: call them in a thread."""

    def __init__(self, window_units: int) -> None:
        self._window_units = window_units
        self._calibrations: dict[str, tuple[tuple[int, float], Calibration | None]] = {}

    def judge(self, tenant: str, window: Hours, series: Mapping[str, Series]) -> Outcome | None:
        """The test of one window; None if the tenant's reference has too few windows of its own. `series` are those of
        all tenants."""
        self._calibrations = {name: self._calibrated(name, each) for name, each in series.items() if each.reference_end}
        found = {name: each for name, (_, each) in self._calibrations.items() if each is not None}
        own = found.get(tenant)
        if own is None:
            return None
        spread = FLEET_SPREAD
        if len(found) >= FEWEST_TENANTS:
            spread = float(np.sqrt(np.mean([each.spread**2 for each in found.values()])))
        tail = tail_of([each.standardised(spread) for each in found.values()])
        score = own.score(window, spread)
        return Outcome(statistic=score, p_value=tail.p_value(score))

    def _calibrated(self, tenant: str, series: Series) -> tuple[tuple[int, float], Calibration | None]:
        reference = series.reference
        identity = (series.reference_end, reference.units)
        cached = self._calibrations.get(tenant)
        return cached if cached and cached[0] == identity else (identity, calibrated(reference, self._window_units))
