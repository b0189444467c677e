"""Every signal of drift, by name, from the files in `signals`."""

from collections.abc import Mapping

from service.plugins import classes_in
from serving.drift import signals
from serving.drift.signal import Signal


def signals_by_name() -> Mapping[str, Signal]:
    """Imports every file of the folder."""
    return {kind.name: kind() for kind in classes_in(signals, Signal)}  # type: ignore[type-abstract]


SIGNALS = signals_by_name()
