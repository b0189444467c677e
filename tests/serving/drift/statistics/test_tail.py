"""The tail of a fleet whose samples hardly ever vary."""

import numpy as np
import pytest

from serving.drift.statistics.tail import FEWEST_TENANTS, tail_of


@pytest.mark.parametrize("score", [0.0, 1e-3])
def test_a_fleet_without_variety_has_no_thinner_tail_than_others(score: float) -> None:
    tail = tail_of([np.full(50, score)] * FEWEST_TENANTS)
    assert tail.p_value(2.7) > 1e-3  # one odd sample of 500


def test_no_p_value_is_zero() -> None:
    assert tail_of([]).p_value(1e6) > 0
