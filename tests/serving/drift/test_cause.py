"""Which change explains the others."""

from hypothesis import given
from hypothesis import strategies as st

from serving.drift.cause import Cause, first_cause


def test_nothing_has_no_cause() -> None:
    assert first_cause([]) is None


def test_new_questions_explain_other_searches_and_answers() -> None:
    assert first_cause([Cause.ENGINE, Cause.ANSWERS, Cause.DOCUMENTS, Cause.QUESTIONS]) is Cause.QUESTIONS
    assert first_cause([Cause.ANSWERS, Cause.DOCUMENTS]) is Cause.DOCUMENTS


@given(st.lists(st.sampled_from(Cause), min_size=1))
def test_the_order_of_signals_does_not_matter(causes: list[Cause]) -> None:
    assert first_cause(causes) is first_cause(reversed(causes))
    assert first_cause(causes) in causes
