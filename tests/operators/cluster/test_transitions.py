"""Which changes of an object's conditions people are told of."""

from contract import conditions as c
from contract.conditions import Condition, condition
from contract.resource import Status
from operators.cluster.store import transitions
from operators.reconcile.drift import DriftVerdict

ACCEPTED = condition(c.ACCEPTED, True, c.VALID)
FETCHED = condition(c.FETCHED, True, c.VERIFIED)
READY = condition(c.READY, True, c.ANSWERING, "version a answers")
RUNNING = Status(conditions=(ACCEPTED, FETCHED, condition(c.RELEASED, True, c.ROUTED), READY))


def _with(*changed: Condition) -> Status:
    kinds = {item.type for item in changed}
    return Status(conditions=(*(item for item in RUNNING.conditions if item.type not in kinds), *changed))


def _reasons(before: Status, after: Status) -> list[str]:
    return [fact.reason for fact in transitions(before, after)]


def test_what_stays_as_it_is_is_no_news() -> None:
    assert _reasons(RUNNING, RUNNING) == []


def test_a_second_version_that_is_refused_is_told_although_the_first_answers() -> None:
    assert _reasons(RUNNING, _with(condition(c.FETCHED, False, "RankTooHigh"))) == ["RankTooHigh"]


def test_a_canary_that_is_taken_back_is_told() -> None:
    assert _reasons(RUNNING, _with(condition(c.RELEASED, False, c.CANARY_FAILED))) == [c.CANARY_FAILED]


def test_a_cause_that_stands_in_several_conditions_is_told_once() -> None:
    causes = (condition(c.FETCHED, False, c.SECRET_MISSING), condition(c.READY, False, c.SECRET_MISSING))
    assert _reasons(Status(), Status(conditions=(ACCEPTED, *causes))) == [c.SECRET_MISSING]


def test_that_something_new_is_on_its_way_is_no_news_and_that_it_became_ready_is_one() -> None:
    begun = Status(conditions=(ACCEPTED, condition(c.READY, False, c.WAITING)))
    assert _reasons(Status(), begun) == []
    assert _reasons(begun, RUNNING) == [c.ANSWERING]


def test_that_it_is_ready_no_more_is_told_whatever_the_reason() -> None:
    assert _reasons(RUNNING, _with(condition(c.READY, False, c.LOADING))) == [c.LOADING]


def test_a_drift_is_told_and_its_end_is_not() -> None:
    steady, drifts = DriftVerdict().condition, DriftVerdict(("answer_length",), "answers").condition
    assert _reasons(RUNNING, _with(steady)) == []
    assert _reasons(RUNNING, _with(drifts)) == _reasons(_with(steady), _with(drifts)) == [c.ANSWERS_CHANGED]
    assert _reasons(_with(drifts), _with(steady)) == []
