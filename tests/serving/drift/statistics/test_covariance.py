"""Distances by the scatter of a reference."""

import numpy as np
import pytest

from serving.drift.statistics.covariance import covariance
from serving.drift.statistics.season import Matrix

HOURS, A_DAY = 2_000, 24


def _hours(seed: int, count: int = HOURS) -> Matrix:
    """Sums of 24 samples each: the second number varies ten times as much as the first."""
    return np.asarray(np.random.default_rng(seed).standard_normal((count, 2)) * np.sqrt(A_DAY) * [1, 10])


def test_distances_without_drift_are_about_chi_square() -> None:
    scatter = covariance(_hours(0), HOURS * A_DAY)
    distances = [scatter.distance(_hours(seed, 20), 20 * A_DAY) for seed in range(1, 400)]
    assert np.mean(distances) == pytest.approx(1.3, abs=0.3)  # less than 2: what is added weighs on the narrow one


def test_a_shift_counts_for_more_where_there_is_little_scatter() -> None:
    scatter = covariance(_hours(0), HOURS * A_DAY)
    narrow, wide = np.array([[500.0, 0.0]]), np.array([[0.0, 500.0]])
    assert scatter.distance(narrow, 480) > 10 * scatter.distance(wide, 480)


def test_hours_can_be_left_out() -> None:
    hours = _hours(0)
    rest = covariance(hours, HOURS * A_DAY).without(hours[:100], 100 * A_DAY)
    assert rest.products == pytest.approx(covariance(hours[100:], 1.0).products)
    assert rest.units == (HOURS - 100) * A_DAY
