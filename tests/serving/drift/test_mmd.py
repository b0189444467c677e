import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.drift.statistics.mmd import mmd2_of_splits, mmd_test, rbf_kernel
from tests.serving.drift.traffic import Traffic

ALPHA = 0.05
REPEATS = 400


def test_without_drift_the_share_of_alarms_is_alpha() -> None:
    traffic, rng = Traffic(seed=1), np.random.default_rng(1)
    alarms = sum(
        mmd_test(traffic.queries(40), traffic.queries(20), permutations=39, rng=rng).p_value <= ALPHA
        for _ in range(REPEATS)
    )
    deviation = (REPEATS * ALPHA * (1 - ALPHA)) ** 0.5
    assert abs(alarms - REPEATS * ALPHA) <= 2.6 * deviation  # 99 % of what a binomial gives


@pytest.mark.parametrize(("moved", "least"), [(0.25, 0.6), (0.5, 0.95)])
def test_moved_traffic_is_seen(moved: float, least: float) -> None:
    traffic, rng = Traffic(seed=2), np.random.default_rng(2)
    seen = [
        mmd_test(traffic.queries(200), traffic.queries(50, moved=moved), permutations=99, rng=rng).p_value <= ALPHA
        for _ in range(24)
    ]
    assert np.mean(seen) >= least


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(2, 12),
    n=st.integers(2, 12),
    permutations=st.integers(1, 40),
    scale=st.sampled_from([0.0, 1e-6, 1.0, 1e6, 1e30]),
    shift=st.sampled_from([0.0, 1.0, 1e30]),
    seed=st.integers(0, 2**32 - 1),
)
def test_p_value_is_one_of_the_permutations_ranks(
    m: int, n: int, permutations: int, scale: float, shift: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    reference, current = rng.normal(size=(m, 3)) * scale, rng.normal(size=(n, 3)) * scale + shift
    outcome = mmd_test(reference, current, permutations=permutations, rng=rng)
    rank = outcome.p_value * (permutations + 1)
    assert rank == pytest.approx(round(rank))
    assert 1 <= round(rank) <= permutations + 1
    assert -2 <= outcome.mmd2 <= 2


def test_statistic_is_the_unbiased_estimate_of_the_paper() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(7, 5)), rng.normal(size=(4, 5)) + 1
    kernel = rbf_kernel(np.concatenate([x, y]))
    within_x = sum(kernel[i, j] for i in range(7) for j in range(7) if i != j) / (7 * 6)
    within_y = sum(kernel[i, j] for i in range(7, 11) for j in range(7, 11) if i != j) / (4 * 3)
    across = sum(kernel[i, j] for i in range(7) for j in range(7, 11)) / (7 * 4)
    split = np.repeat([[1.0], [0.0]], [7, 4], axis=0)
    assert mmd2_of_splits(kernel, split)[0] == pytest.approx(within_x + within_y - 2 * across)


def test_bandwidth_is_the_median_distance() -> None:
    kernel = rbf_kernel(np.array([[0.0], [1.0], [3.0]]))  # distances 1, 2 and 3
    assert kernel == pytest.approx(np.exp(-np.array([[np.inf, 1, 9], [1, np.inf, 4], [9, 4, np.inf]]) / (2 * 4)))


def test_one_query_sent_over_and_over_is_no_drift() -> None:
    same = np.repeat(Traffic(seed=4).queries(1), 60, axis=0)
    assert mmd_test(same, same[:30], permutations=99, rng=np.random.default_rng(4)).p_value == 1.0
