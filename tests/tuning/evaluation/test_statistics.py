"""Intervals and tests keep their level, and see what is there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.evaluation.statistics import Grouped, holm, interval, p_value, visible_difference

RUNS = 200


def _scores(rng: np.random.Generator, groups: int, of_group: int, rate: float) -> list[float]:
    """Questions of a group are alike: nine in ten have the group's own outcome."""
    own = rng.random(groups) < rate
    alike = rng.random((groups, of_group)) < 0.9
    return np.where(alike, own[:, None], rng.random((groups, of_group)) < rate).astype(float).ravel().tolist()


@pytest.mark.parametrize(("groups", "of_group"), [(100, 1), (40, 10)])
def test_a_true_null_is_seldom_rejected_also_with_groups(groups: int, of_group: int) -> None:
    rng = np.random.default_rng(1)
    names = [str(number // of_group) for number in range(groups * of_group)]
    differences = [
        Grouped.of(_scores(rng, groups, of_group, 0.6), names) - Grouped.of(_scores(rng, groups, of_group, 0.6), names)
        for _ in range(RUNS)
    ]
    rejected = sum(p_value(each, seed) < 0.05 for seed, each in enumerate(differences))
    outside = sum(not (each.low <= 0 <= each.high) for each in (interval(d, s) for s, d in enumerate(differences)))
    assert rejected <= 0.09 * RUNS  # 5 % and two standard errors
    assert outside <= 0.10 * RUNS


def test_a_difference_is_seen_as_often_as_is_said() -> None:
    rng = np.random.default_rng(2)
    count = 157
    names = [str(number) for number in range(count)]
    seen = 0
    for seed in range(RUNS):
        drawn = rng.random(count)
        better = (drawn < 0.15).astype(float) - ((drawn >= 0.15) & (drawn < 0.20))  # 15 % won, 5 % lost
        seen += p_value(Grouped.of(better.tolist(), names), seed) < 0.05
    assert 0.70 * RUNS <= seen <= 0.92 * RUNS
    assert visible_difference(0.2, count) == pytest.approx(0.1, abs=0.005)


def test_the_published_numbers_of_questions() -> None:
    """Of a paired test at 5 % with a power of 80 %."""
    assert [visible_difference(0.2, count) for count in (155, 626, 1742)] == pytest.approx([0.1, 0.05, 0.03], rel=0.01)


def test_equal_scores_are_no_difference() -> None:
    same = Grouped.of([1.0, 0.0, 1.0], ["a", "b", "c"])
    assert p_value(same - same) == 1.0
    assert interval(same - same).high == 0.0
    assert not interval(same - same).is_above_zero


def test_holm_corrects_the_smallest_most() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_lowers(values: list[float]) -> None:
    corrected = holm(values)
    assert all(0 <= before <= after <= 1 for before, after in zip(values, corrected, strict=True))
    ranked = sorted(range(len(values)), key=lambda index: values[index])
    assert [corrected[index] for index in ranked] == sorted(corrected)
