from hypothesis import given
from hypothesis import strategies as st

from serving.agent.converge import LAST_RETRY_S, NEVER_FAILED, plan
from serving.agent.errors import RefusedError, UnavailableError

NAMES = st.frozensets(st.sampled_from("abcdef"))


@given(NAMES, NAMES, NAMES)
def test_a_plan_carried_out_leaves_exactly_what_is_wanted_and_proven(
    wanted: frozenset[str], loaded: frozenset[str], answered: frozenset[str]
) -> None:
    todo = plan(wanted, loaded, answered)
    after = (loaded | frozenset(todo.load)) - frozenset(todo.unload)
    assert after == wanted
    assert wanted <= (answered & loaded) | frozenset(todo.probe)
    again = plan(wanted, after, frozenset(todo.probe) | (answered & loaded))
    assert (again.load, again.probe, again.unload) == ((), (), ())


@given(NAMES, NAMES, NAMES)
def test_an_answer_from_before_the_engine_lost_a_version_does_not_count(
    wanted: frozenset[str], loaded: frozenset[str], answered: frozenset[str]
) -> None:
    assert frozenset(plan(wanted, loaded, answered).probe) >= wanted - loaded


def test_what_is_refused_is_not_tried_again_and_what_failed_is_later_each_time() -> None:
    assert NEVER_FAILED.next(RefusedError("Pickle", ""), 5.0).retry_at == float("inf")
    failure, waits = NEVER_FAILED, []
    for _ in range(10):
        failure = failure.next(UnavailableError("LoadFailed", ""), 0.0)
        waits.append(failure.retry_at)
    assert waits[:3] == [1.0, 2.0, 4.0]
    assert waits[-1] == LAST_RETRY_S
