"""Scores of windows without drift and with it, on made traffic."""

import numpy as np
import pytest

from benchmarks.drift.__main__ import FIRST, REFERENCE, tenant, windows
from benchmarks.drift.traffic import REGIMES, Shares
from serving.drift.fleet import Fleet
from serving.drift.hours import DAY, Hours, empty
from serving.drift.series import Series
from serving.drift.statistics.calibration import calibrated
from serving.drift.statistics.tail import DEFAULT, FEWEST_TENANTS, SHARE, tail_of

SIZE = 500


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.name)
def test_windows_without_drift_score_like_the_references_own_and_others_do_not(regime: object) -> None:
    made = [tenant(regime, seed) for seed in range(3)]  # type: ignore[arg-type]
    scores, moved = [], []
    for each in made:
        own = calibrated(each.reference, SIZE)
        assert own is not None
        scores += [own.score(window, 1.0) for window in windows(each.quiet, SIZE)]
        moved.append(own.score(next(windows(each.moved[0.25], SIZE)), 1.0))
    assert abs(np.mean(scores)) < 0.5
    assert np.std(scores) < 1.5
    assert min(moved) > 2 * max(scores)


@pytest.mark.parametrize(("others", "least", "most"), [(0, -3, 1), (1, 0, 4), (50, 10, 1_000)])
def test_one_odd_sample_is_chance_where_all_were_alike_and_fifty_are_not(others: int, least: int, most: int) -> None:
    """A share of answers, as one of two numbers in each sample."""
    hour = np.arange(FIRST, FIRST + REFERENCE)
    alike = Hours(hour, np.full(len(hour), 24, np.float32), np.tile(np.array([24, 0], np.float32), (len(hour), 1)))
    own = calibrated(alike, SIZE)
    assert own is not None
    window = Hours(np.array([FIRST]), np.array([SIZE], np.float32), np.array([[SIZE - others, others]], np.float32))
    assert least <= own.score(window, 1.0) <= most


def test_too_few_windows_of_a_reference_give_no_verdict() -> None:
    made = tenant(REGIMES[0], 1)
    short = made.reference.between(FIRST, FIRST + 2 * DAY)
    assert calibrated(short, SIZE) is None
    series = {"acme": Series(short, FIRST + 2 * DAY, FIRST + REFERENCE)}
    assert Fleet(SIZE).judge("acme", next(windows(made.quiet, SIZE)), series) is None


def test_no_hours_are_no_reference() -> None:
    assert calibrated(empty(4), SIZE) is None


def test_a_tail_is_exponential_beyond_what_was_seen() -> None:
    rng = np.random.default_rng(0)
    tail = tail_of([rng.standard_normal(1_000) for _ in range(FEWEST_TENANTS)])
    assert tail.p_value(tail.start) == pytest.approx(SHARE, rel=0.2)
    assert tail.p_value(tail.start + tail.scale) == pytest.approx(SHARE / np.e, rel=0.01)
    assert tail_of([rng.standard_normal(1_000)]) == DEFAULT


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.name)
def test_a_hundred_times_more_traffic_of_the_same_kind_is_no_drift(regime: object) -> None:
    before = Shares(regime, 3, width=8, rate=24)  # type: ignore[arg-type]
    own = calibrated(before.hours(FIRST, REFERENCE), SIZE)
    assert own is not None
    grown = Shares(regime, 3, width=8, rate=2_400)  # type: ignore[arg-type]
    scores = [own.score(window, 1.0) for window in windows(grown.hours(FIRST + REFERENCE, 10 * DAY), SIZE)]
    assert np.quantile(scores, 0.99) < 5
