from hypothesis import given
from hypothesis import strategies as st

from contract.tenant import Limits
from serving.gateway import admission
from serving.gateway.admission import Refusal, Usage

LIMITS = Limits(requests_per_minute=60, tokens_per_minute=6000, concurrent_requests=4)


def _admitted(usage: Usage, tokens: int, now: float) -> Usage:
    verdict = _verdict(usage, tokens, now)
    assert isinstance(verdict, Usage)
    return verdict


def _verdict(usage: Usage, tokens: int, now: float) -> Usage | Refusal:
    """As the gateway asks: the request first, its tokens once it is read."""
    verdict = admission.admit(usage, now=now)
    return admission.reserve(verdict, tokens=tokens, now=now) if isinstance(verdict, Usage) else verdict


def _refused(usage: Usage, tokens: int, now: float) -> Refusal:
    verdict = _verdict(usage, tokens, now)
    assert isinstance(verdict, Refusal)
    return verdict


def test_the_concurrent_limit_refuses_one_more_and_frees_on_settling() -> None:
    usage = admission.fresh(LIMITS, 0.0)
    for _ in range(4):
        usage = _admitted(usage, 1, 0.0)
    assert _refused(usage, 1, 0.0).limit == "concurrentRequests"
    _admitted(admission.settle(usage, reserved=1, used=1, now=0.0), 1, 0.0)


def test_requests_come_back_evenly_over_the_minute() -> None:
    usage = admission.fresh(LIMITS, 0.0)
    for _ in range(60):
        usage = admission.settle(_admitted(usage, 1, 0.0), reserved=1, used=1, now=0.0)
    assert _refused(usage, 1, 0.5) == Refusal("requestsPerMinute", 1)
    _admitted(usage, 1, 1.0)


def test_tokens_that_were_not_used_come_back() -> None:
    usage = _admitted(admission.fresh(LIMITS, 0.0), 6000, 0.0)
    assert _refused(usage, 10, 0.0).limit == "tokensPerMinute"
    _admitted(admission.settle(usage, reserved=6000, used=100, now=0.0), 5000, 0.0)


def test_a_request_larger_than_a_minutes_allowance_passes_once_and_is_paid_off() -> None:
    usage = _admitted(admission.fresh(LIMITS, 0.0), 12_000, 0.0)
    usage = admission.settle(usage, reserved=12_000, used=12_000, now=0.0)
    assert _refused(usage, 100, 59.0).limit == "tokensPerMinute"
    _admitted(usage, 100, 62.0)


def test_new_limits_hold_at_once_and_keep_count_of_what_runs() -> None:
    usage = _admitted(admission.fresh(LIMITS, 0.0), 1, 0.0)
    tighter = Limits(requests_per_minute=60, tokens_per_minute=6000, concurrent_requests=1)
    assert _refused(admission.relimited(usage, tighter, 0.0), 1, 0.0).limit == "concurrentRequests"


@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 3000), st.integers(0, 3000)), max_size=60),
)
def test_no_minute_lets_through_more_than_twice_the_limit(steps: list[tuple[float, int, int]]) -> None:
    """A bucket that starts full and fills evenly gives at most its capacity twice within any minute."""
    usage, now, admitted = admission.fresh(LIMITS, 0.0), 0.0, []
    for wait, estimate, used in steps:
        now += wait
        verdict = _verdict(usage, estimate, now)
        if isinstance(verdict, Usage):
            admitted.append(now)
            usage = admission.settle(verdict, reserved=estimate, used=used, now=now)
        else:
            assert verdict.retry_after_s >= 1
        assert usage.concurrent == 0
    for start in admitted:
        assert sum(start <= at < start + 60 for at in admitted) <= 2 * LIMITS.requests_per_minute


@given(st.integers(1, 20_000), st.floats(0, 1000))
def test_after_the_time_that_a_refusal_names_the_same_request_passes(tokens: int, wait: float) -> None:
    usage = admission.settle(_admitted(admission.fresh(LIMITS, 0.0), 9000, 0.0), reserved=9000, used=9000, now=0.0)
    verdict = _verdict(usage, tokens, 0.0)
    assert isinstance(verdict, Refusal)
    _admitted(usage, tokens, verdict.retry_after_s + wait)
