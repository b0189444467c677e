"""What the references of the whole fleet say about windows without drift: calibrations, cached, and their tail."""

from collections.abc import Mapping, Sequence

import numpy as np

from serving.drift.hours import Hours
from serving.drift.series import Series
from serving.drift.signal import Outcome
from serving.drift.statistics.calibration import Calibration, calibrated
from serving.drift.statistics.tail import Tail, tail_of

ReferenceId = tuple[int, int] | None
# How much wider distances without drift spread than chi square, between those that `make bench-drift` prints.
INFLATION = 1.3
# Fewer tenants say little about the fleet's inflation.
FEWEST_TENANTS = 5


def without_drift(calibrations: Sequence[Calibration]) -> tuple[float, Tail]:
    """The inflation of the fleet's references, and the tail of their scores."""
    inflation = INFLATION
    if len(calibrations) >= FEWEST_TENANTS:
        inflation = float(np.sqrt(np.mean([each.inflation**2 for each in calibrations])))
    return inflation, tail_of([each.standardised(inflation) for each in calibrations])


class Fleet:
    """Calibrations of one signal, by tenant. All methods take time: call them in a thread."""

    def __init__(self, window_units: int) -> None:
        self._window_units = window_units
        self._calibrations: dict[str, tuple[ReferenceId, Calibration | None]] = {}
        self._quiet: tuple[Mapping[str, ReferenceId], tuple[float, Tail]] | None = None

    def judge(self, tenant: str, window: Hours, series: Mapping[str, Series]) -> Outcome | None:
        """The test of one window; None if the tenant's reference has too few windows of its own. `series` are those of
        all tenants."""
        calibrations = self._calibrate(series)
        own = calibrations.get(tenant)
        if own is None:
            return None
        inflation, tail = self._without_drift(calibrations)
        score = own.score(window, inflation)
        return Outcome(statistic=score, p_value=tail.p_value(score))

    def _calibrate(self, series: Mapping[str, Series]) -> Mapping[str, Calibration]:
        self._calibrations = {name: self._calibrated(name, each) for name, each in series.items() if each.reference_end}
        return {name: each for name, (_, each) in self._calibrations.items() if each is not None}

    def _without_drift(self, calibrations: Mapping[str, Calibration]) -> tuple[float, Tail]:
        """Cached while no reference changes."""
        references = {name: reference for name, (reference, _) in self._calibrations.items()}
        if self._quiet is None or self._quiet[0] != references:
            self._quiet = references, without_drift(list(calibrations.values()))
        return self._quiet[1]

    def _calibrated(self, tenant: str, series: Series) -> tuple[ReferenceId, Calibration | None]:
        cached = self._calibrations.get(tenant)
        if cached and cached[0] == series.reference_id:
            return cached
        return series.reference_id, calibrated(series.reference, self._window_units)
