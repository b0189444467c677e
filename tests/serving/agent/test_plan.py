from hypothesis import given
from hypothesis import strategies as st

from contract.agent import DesiredAdapter
from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.plan import LAST_RETRY_S, Failure, Progress, desired_entries, plan, report_of, undecided

NAMES = st.frozensets(st.sampled_from("abcdef"))
DIGEST = "a" * 64


@given(NAMES, NAMES, NAMES, NAMES)
def test_a_plan_carried_out_leaves_exactly_what_is_wanted_and_proven_and_what_is_undecided(
    wanted: frozenset[str], undecided: frozenset[str], loaded: frozenset[str], answered: frozenset[str]
) -> None:
    todo = plan(wanted, undecided, loaded, answered)
    after = (loaded | frozenset(todo.load)) - frozenset(todo.unload)
    assert after == wanted | (undecided & loaded)
    assert wanted <= (answered & loaded) | frozenset(todo.probe)
    again = plan(wanted, undecided, after, frozenset(todo.probe) | (answered & loaded))
    assert (again.load, again.probe, again.unload) == ((), (), ())


@given(NAMES, NAMES, NAMES)
def test_an_answer_from_before_the_engine_lost_a_version_does_not_count(
    wanted: frozenset[str], loaded: frozenset[str], answered: frozenset[str]
) -> None:
    assert frozenset(plan(wanted, frozenset(), loaded, answered).probe) >= wanted - loaded


def test_what_is_refused_is_not_tried_again_and_what_failed_is_later_each_time() -> None:
    refused = Progress().failed(RefusedError("Pickle", ""), 5.0)
    assert not refused.due(1e12)
    known, waits = Progress(), []
    for _ in range(10):
        known = known.failed(UnavailableError("LoadFailed", ""), 0.0)
        assert known.failure
        waits.append(known.failure.retry_at)
    assert waits[:3] == [1.0, 2.0, 4.0]
    assert waits[-1] == LAST_RETRY_S


def test_what_one_engine_could_not_do_the_next_one_is_asked_at_once_and_a_refusal_stays() -> None:
    failed = Progress("d").failed(UnavailableError("LoadFailed", ""), 100.0)
    assert failed.for_new_engine == Progress("d")
    refused = Progress().failed(RefusedError("Pickle", ""), 0.0)
    assert refused.for_new_engine == refused


def test_a_required_version_keeps_its_replica_waiting_only_so_often() -> None:
    error = UnavailableError("LoadFailed", "")
    assert not Failure(error, 1, 0).settled
    assert Failure(error, 3, 0).settled
    assert Failure(RefusedError("Pickle", ""), 1, 0).settled


def _item(adapter: str, digest: str | None = None) -> DesiredAdapter:
    return DesiredAdapter(tenant="acme", adapter=adapter, source="/x", revision="r", digest=digest)


def test_an_agent_that_was_started_anew_keeps_what_its_engine_serves_until_it_knows_better() -> None:
    """Nothing is verified yet: the pinned version is wanted where it is loaded, the candidate's may be any."""
    loaded = frozenset(
        {
            f"acme.support.{DIGEST[:32]}",
            "acme.api.0123456789ab00000000000000000000",
            "globex.desk.0123456789ab00000000000000000000",
        }
    )
    progress = {_item("support", DIGEST): Progress(), _item("api"): Progress()}
    assert set(desired_entries(progress, loaded, frozenset(), 0.0)) == {f"acme.support.{DIGEST[:32]}"}
    assert undecided(progress, loaded) == {"acme.api.0123456789ab00000000000000000000"}
    assert desired_entries(progress, frozenset(), frozenset(), 0.0) == {}


def test_a_version_that_answers_is_ready_and_one_that_failed_says_why() -> None:
    item, name = _item("support", DIGEST), f"acme.support.{DIGEST[:32]}"
    failed = Progress(DIGEST).failed(UnavailableError("LoadFailed", "no room"), 0.0)
    assert report_of(item, failed, frozenset(), None).state == "Failed"
    assert report_of(item, failed, frozenset(), None).message == "no room"
    assert report_of(item, failed, frozenset({name}), None).state == "Ready"
    assert report_of(item, Progress(DIGEST), frozenset(), None).state == "Loading"
    assert report_of(item, Progress(), frozenset(), None).state == "Fetching"
