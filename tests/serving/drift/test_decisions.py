"""The pure decisions: windows, budget, verdicts, who is watched."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.body import DIMENSIONS
from serving.drift.budget import MONTH, Budget, level, next_test_at
from serving.drift.registration import registration
from serving.drift.signal import Outcome, Samples
from serving.drift.verdict import State, judged, unknown
from serving.drift.windows import empty, extended, is_evidence


def numbered(start: int, stop: int) -> Samples:
    return np.repeat(np.arange(start, stop, dtype=np.float32)[:, None], DIMENSIONS, axis=1)


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(2, 10))
def test_the_first_embeddings_are_the_reference_and_the_newest_the_window(batches: list[int], size: int) -> None:
    windows, sent = empty(DIMENSIONS), 0
    for count in batches:
        windows = extended(windows, numbered(sent, sent + count), reference_size=size)
        sent += count
    assert windows.reference[:, 0].tolist() == list(range(min(sent, size)))
    assert windows.current[:, 0].tolist() == list(range(size, sent))[-size:]


@pytest.mark.parametrize(("sent", "evidence"), [(0, False), (60, False), (89, False), (90, True), (200, True)])
def test_evidence_is_a_full_reference_and_a_window(sent: int, evidence: bool) -> None:
    windows = extended(empty(DIMENSIONS), numbered(0, sent), reference_size=60)
    assert is_evidence(windows, reference_size=60, window_size=30) is evidence


def test_a_reference_that_must_grow_is_completed_first() -> None:
    windows = extended(empty(DIMENSIONS), numbered(0, 90), reference_size=60)
    assert not is_evidence(windows, reference_size=61, window_size=30)


@given(st.floats(0.01, 100), st.floats(600, 2 * MONTH), st.integers(1, 500))
def test_a_month_of_tests_expects_no_more_alarms_than_the_budget(
    false_alarms: float, interval: float, tenants: int
) -> None:
    chosen = level(Budget(false_alarms, interval), series=tenants, permutations=500)
    most_tests = tenants * math.ceil(MONTH / interval)
    assert chosen.alpha * most_tests <= max(false_alarms, chosen.alpha) * (1 + 1e-9)
    assert chosen.permutations >= 500
    assert 1 / (chosen.permutations + 1) <= chosen.alpha


def test_a_tenant_is_tested_at_once_and_then_after_the_interval() -> None:
    budget = Budget(false_alarms=1, interval=60)
    assert next_test_at(budget, tested_at=None) == -math.inf
    assert next_test_at(budget, tested_at=1_000) == 1_060


def test_a_verdict_holds_since_its_state_began() -> None:
    first = judged(unknown(1.0), Outcome(statistic=0.3, p_value=0.01), alpha=0.01, now=2.0)
    second = judged(first, Outcome(statistic=0.4, p_value=0.002), alpha=0.01, now=3.0)
    third = judged(second, Outcome(statistic=0.0, p_value=0.011), alpha=0.01, now=4.0)
    assert [(v.state, v.since) for v in (first, second, third)] == [(State.DRIFT, 2), (State.DRIFT, 2), (State.OK, 4)]


@pytest.mark.parametrize(
    ("watched", "wanted", "registered", "refused"),
    [
        pytest.param((), ("a", "b"), ("a", "b"), (), id="new tenants are watched"),
        pytest.param((), ("a", "b", "c"), ("a", "b"), ("c",), id="who is over the cap is refused"),
        pytest.param(("c",), ("a", "b", "c"), ("c", "a"), ("b",), id="who is watched keeps its place"),
        pytest.param(("a", "b"), ("c", "b"), ("b", "c"), (), id="who is not listed makes room"),
        pytest.param((), ("a", "a", "b"), ("a", "b"), (), id="a name counts once"),
        pytest.param(("a",), (), (), (), id="nobody"),
    ],
)
def test_registration(
    watched: tuple[str, ...], wanted: tuple[str, ...], registered: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    decision = registration(watched, wanted, max_tenants=2)
    assert (decision.registered, decision.refused) == (registered, refused)
