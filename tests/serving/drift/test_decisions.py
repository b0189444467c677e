"""The pure decisions: series, budget, verdicts, who is watched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.drift.budget import level
from serving.drift.registration import registration
from serving.drift.series import (
    Series,
    Spans,
    after_test,
    begun,
    is_due,
    rebased,
    with_reference,
    with_samples,
)
from serving.drift.signal import Outcome
from serving.drift.verdict import State, judged, unknown

ONE = np.ones((1, 2), np.float32)
SPANS = Spans(reference_days=28, provisional_days=7, reference_units=500, window_units=500)


def _traffic(hours: range, *, series: Series | None = None, a_hour: int = 10) -> Series:
    series = series or begun(2)
    for hour in hours:
        series = with_samples(series, hour, np.repeat(ONE, a_hour, axis=0))
    return series


@given(st.lists(st.tuples(st.integers(-3, 5), st.integers(1, 9)), max_size=30))
def test_sums_by_hour_hold_every_sample_whatever_the_clock_does(steps: list[tuple[int, int]]) -> None:
    series, hour, sent = begun(2), 1_000, 0
    for step, count in steps:
        hour, sent = hour + step, sent + count
        series = with_samples(series, hour, np.repeat(ONE, count, axis=0))
    assert series.hours.units == sent
    assert series.hours.total.sum() == 2 * sent
    assert (np.diff(series.hours.hour) > 0).all()


def test_a_reference_has_a_span_and_a_number_of_samples() -> None:
    week = 7 * 24
    assert not with_reference(_traffic(range(week - 1)), week - 1, SPANS).reference_end
    assert not with_reference(_traffic(range(0, week, 24)), week, SPANS).reference_end
    series = with_reference(_traffic(range(week)), week, SPANS)
    assert (series.reference_end, series.window_start) == (week, week)
    assert series.is_provisional(SPANS)


def test_the_present_hour_is_in_no_window_and_no_sample_in_two() -> None:
    week = 7 * 24
    series = with_reference(_traffic(range(week)), week, SPANS)
    series = _traffic(range(week, week + 51), series=series)
    assert not is_due(series, week + 49, SPANS)
    assert is_due(series, week + 50, SPANS)
    assert series.window(week + 50).units == 500
    after = after_test(series, week + 50, SPANS, drifted=False)
    assert after.window(week + 51).units == 10


def test_a_provisional_reference_grows_by_windows_without_drift_to_its_full_span() -> None:
    week, full = 7 * 24, 28 * 24
    series = with_reference(_traffic(range(week)), week, SPANS)
    for start in range(week, full + 200, 50):
        series = after_test(_traffic(range(start, start + 50), series=series), start + 50, SPANS, drifted=False)
    assert series.reference_end == full
    assert series.reference.units == 10 * full
    assert not series.is_provisional(SPANS)


def test_what_drifted_is_never_a_part_of_the_reference() -> None:
    week = 7 * 24
    series = with_reference(_traffic(range(week)), week, SPANS)
    series = after_test(_traffic(range(week, week + 50), series=series), week + 50, SPANS, drifted=True)
    series = after_test(_traffic(range(week + 50, week + 100), series=series), week + 100, SPANS, drifted=False)
    assert series.reference_end == week
    assert series.reference.units == 10 * week


def test_a_rebase_begins_anew_with_what_came_after_the_last_test() -> None:
    week = 7 * 24
    series = with_reference(_traffic(range(week)), week, SPANS)
    again = rebased(_traffic(range(week, week + 3), series=series))
    assert again.reference_end == 0
    assert again.gathered == 30


@given(st.floats(0.01, 100), st.floats(0, 1e7), st.integers(100, 2_000), st.booleans())
def test_a_month_of_tests_expects_no_more_alarms_than_the_budget(
    false_alarms: float, units: float, window: int, provisional: bool
) -> None:
    alpha = level(false_alarms, units, window, provisional=provisional)
    assert alpha * units / window <= false_alarms
    assert alpha <= 0.5


def test_an_alarm_stands_for_one_episode() -> None:
    verdict = judged(unknown(1.0), Outcome(statistic=9.0, p_value=0.001), alpha=0.01, now=2.0)
    states = []
    for now in range(3, 7):
        verdict = judged(verdict, Outcome(statistic=0.0, p_value=0.5), alpha=0.01, now=now)
        states.append(verdict.state)
    assert states == [State.DRIFT, State.DRIFT, State.OK, State.OK]
    assert verdict.since == 5


def test_a_verdict_holds_since_its_state_began() -> None:
    first = judged(unknown(1.0), Outcome(statistic=0.3, p_value=0.01), alpha=0.01, now=2.0)
    second = judged(first, Outcome(statistic=0.4, p_value=0.002), alpha=0.01, now=3.0)
    assert [(v.state, v.since) for v in (first, second)] == [(State.DRIFT, 2), (State.DRIFT, 2)]


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
