"""What hours of the day and weekends explain, and what is left."""

import numpy as np
import pytest

from serving.drift.hours import DAY, Hours
from serving.drift.statistics.season import residuals, season

WEEKS = 28 * DAY


def _rhythm(first: int, count: int, *, shift: float = 0.0) -> Hours:
    """Ten samples an hour, whose mean follows the hour and the weekend exactly."""
    hour = np.arange(first, first + count)
    weekend = (((hour // DAY) + 3) % 7) >= 5
    mean = np.sin(2 * np.pi * (hour % DAY) / DAY) + 0.5 * weekend + shift
    return Hours(hour, np.full(count, 10, np.float32), (10 * mean[:, np.newaxis]).astype(np.float32))


@pytest.mark.parametrize("first", [0, 7, 5 * DAY + 3])
def test_a_window_with_the_rhythm_of_its_reference_is_no_distance_away(first: int) -> None:
    fitted = season(_rhythm(0, WEEKS), with_weekends=True)
    assert residuals(_rhythm(WEEKS + first, 13), fitted) == pytest.approx(np.zeros((13, 1)), abs=0.1)


def test_a_shift_of_the_mean_is_seen_whatever_the_hour() -> None:
    fitted = season(_rhythm(0, WEEKS), with_weekends=True)
    window = _rhythm(WEEKS + 5, 13, shift=0.3)
    assert residuals(window, fitted).sum() == pytest.approx(0.3 * window.units, rel=0.02)


def test_weekdays_are_no_part_of_a_short_reference() -> None:
    assert season(_rhythm(0, 7 * DAY), with_weekends=False).coefficients.shape == (7, 1)
    assert season(_rhythm(0, WEEKS), with_weekends=True).coefficients.shape == (8, 1)


def test_a_span_can_be_taken_out_of_a_fit() -> None:
    whole, part = _rhythm(0, WEEKS), _rhythm(100, 50, shift=3.0)
    noisy = Hours(
        whole.hour,
        whole.count,
        np.concatenate([whole.total[:100], part.total, whole.total[150:]]),
    )
    rest = season(noisy, with_weekends=True).without(season(part, with_weekends=True))
    assert residuals(_rhythm(WEEKS, 24), rest) == pytest.approx(np.zeros((24, 1)), abs=0.1)


def test_hours_that_never_had_a_sample_are_not_guessed() -> None:
    """Office hours from nine to five: what is expected at two in the night is near to their mean."""
    rng = np.random.default_rng(0)
    hour = np.array([hour for hour in range(WEEKS) if 9 <= hour % DAY < 17])
    total = (10 * rng.normal(0.5, 0.1, len(hour)) + np.sin(hour)).astype(np.float32)[:, np.newaxis]
    fitted = season(Hours(hour, np.full(len(hour), 10, np.float32), total), with_weekends=False)
    night = Hours(np.array([WEEKS + 2]), np.array([10], np.float32), np.array([[5.0]], np.float32))
    assert abs(float(residuals(night, fitted)[0, 0])) < 10
