"""A search stays within bounds around the recipe that is to be beaten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.recipe import Recipe
from tuning.space import Space, trials_of


def test_the_default_space() -> None:
    space = Space(Recipe(), most_rank=16)
    assert space.rates == pytest.approx((5e-5, 2e-3))
    assert (space.ranks, space.epochs) == ([4, 8, 16], [1, 2, 3, 5])
    assert space.with_rate(1e-3) == Recipe(rate=1e-3)
    assert space.with_shape(1e-3, rank=4, epochs=5, targets="mlp") == Recipe(
        rate=1e-3, rank=4, alpha=8, epochs=5, targets="mlp"
    )


@given(st.floats(1e-6, 0.5), st.integers(1, 64), st.integers(1, 64))
def test_the_start_is_in_its_own_space(rate: float, rank: int, most_rank: int) -> None:
    start = Recipe(rate=rate, rank=rank, alpha=2 * rank)
    space = Space(start, most_rank)
    low, high = space.rates
    assert low <= rate <= high
    assert all(each <= most_rank or each == rank for each in space.ranks)
    assert space.with_shape(rate, rank, start.epochs, "all") == start


@given(st.integers(2, 100))
def test_every_trial_is_of_a_rate_or_of_a_shape(total: int) -> None:
    rates, shapes = trials_of(total)
    assert rates + shapes == total
    assert rates >= 1
    assert shapes >= 0
