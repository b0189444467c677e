"""The samples of one signal of a tenant: a reference, and the window that the next test judges (pure).

The reference is the first weeks, at least a stated span and number of samples. Windows follow one after the other, so
no sample is tested twice. Before the reference has its full span, windows that were judged `ok` become a part of it.
"""

from dataclasses import dataclass, replace

from serving.drift.hours import DAY, Hours, Numbers, empty


@dataclass(frozen=True)
class Spans:
    """How much makes a reference and a window: in days, and in samples. A reference is provisional before
    `reference_days`."""

    reference_days: int = 28
    provisional_days: int = 7
    reference_units: int = 500
    window_units: int = 500


@dataclass(frozen=True)
class Series:
    """`reference_end` and `window_start` are hours, 0 before there is a reference. What is between them was judged, and
    is not kept."""

    hours: Hours
    reference_end: int = 0
    window_start: int = 0

    @property
    def reference(self) -> Hours:
        return self.hours.between(0, self.reference_end)

    def window(self, now: int) -> Hours:
        """Whole hours: the present one may still grow."""
        return self.hours.between(self.window_start, now) if self.reference_end else empty(self.hours.total.shape[1])

    @property
    def reference_id(self) -> tuple[int, int] | None:
        """The reference's first hour and its end: nothing is added to hours that are over. None without one."""
        return (int(self.hours.hour[0]), self.reference_end) if self.reference_end else None

    @property
    def gathered(self) -> float:
        """Samples of the reference, or those on their way to one."""
        return self.reference.units if self.reference_end else self.hours.units

    def is_provisional(self, spans: Spans) -> bool:
        return bool(self.reference_end) and self.reference.span < spans.reference_days * DAY - DAY


def begun(width: int) -> Series:
    return Series(empty(width))


def with_samples(series: Series, hour: int, samples: Numbers) -> Series:
    return replace(series, hours=series.hours.with_samples(hour, samples))


def with_reference(series: Series, now: int, spans: Spans) -> Series:
    """Once there is enough for a provisional reference, it ends with the last whole hour."""
    if series.reference_end:
        return series
    whole = series.hours.between(0, now)
    is_long = len(whole) > 0 and now - int(whole.hour[0]) >= spans.provisional_days * DAY
    return (
        replace(series, reference_end=now, window_start=now)
        if is_long and whole.units >= spans.reference_units
        else series
    )


def is_due(series: Series, now: int, spans: Spans) -> bool:
    return bool(series.reference_end) and series.window(now).units >= spans.window_units


def after_test(series: Series, now: int, spans: Spans, *, drifted: bool) -> Series:
    """After a test of the window. A reference that follows on without a gap grows to its full span."""
    full = int(series.hours.hour[0]) + spans.reference_days * DAY
    grows = not drifted and series.reference_end == series.window_start < full
    end = min(now, full) if grows else series.reference_end
    kept = series.hours.between(0, end).followed_by(series.hours.between(now, 1 << 40))
    return Series(kept, reference_end=end, window_start=now)


def rebased(series: Series) -> Series:
    """Begins a new reference with what came after the last test."""
    return Series(series.hours.between(series.window_start, 1 << 40))
