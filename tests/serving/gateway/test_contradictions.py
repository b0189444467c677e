"""Passages of different documents that state the same with another amount."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.search import Evidence
from serving.gateway.contradictions import Contradiction, contradictions, newest_first
from tests.serving.gateway.passages import evidence

DAY = 86_400
FEE, NEW_FEE = "The late fee is 25 euros. It is due at once.", "The late fee is 30 euros."


def passage(number: int, text: str, day: int, heading: str = "", document: str = "") -> Evidence:
    item = evidence(number, document=document or f"fees-{number}.md", text=text, heading=heading)
    return item.model_copy(update={"dated": day * DAY})


@pytest.mark.parametrize(
    ("one", "other", "is_contradiction"),
    [
        (FEE, NEW_FEE, True),
        ("연체료는 하루에 200원입니다.", "연체료는 하루에 300원입니다.", True),
        (FEE, "It is due at once. The late fee is \u20ac 30.", False),  # other words: no rule can tell
        (FEE, "The late fee is 25 euros. Reminders are free.", False),  # the same value
        (FEE, "The delivery fee is 30 euros.", False),
        (FEE, "The late fee is waived.", False),
        ("Fee: 30 \u20ac", "Fee: 20 \u20ac", False),
        ("Fly from A to B for 30 euros.", "Fly from B to A for 40 euros.", False),
        ("The room is 30 m long and 20 m wide.", "The room is 30 cm long and 20 m wide.", False),
        # Numbers that are names.
        ("Room 101 is on the ground floor.", "Room 102 is on the ground floor.", False),
        ("Model 100 weighs 5 kg.", "Model 200 weighs 5 kg.", False),
        ("Model 100 weighs 5 kg.", "Model 200 weighs 6 kg.", False),
        ("Model 100 weighs 5 kg.", "Model 100 weighs 6 kg.", True),
        # Rows of tables.
        ("Size 3 costs 7 euros. Size 4 costs 8 euros.", "Size 4 costs 8 euros. Size 3 costs 7 euros.", False),
    ],
)
def test_sentences_that_are_alike_but_for_one_amount_contradict_each_other(
    one: str, other: str, is_contradiction: bool
) -> None:
    pairs = contradictions([passage(1, one, 100), passage(2, other, 200)])
    assert pairs == ([Contradiction(newer=1, older=0)] if is_contradiction else [])


def test_headings_are_subjects_but_for_their_numbers() -> None:
    assert not contradictions([passage(1, FEE, 100, "Books"), passage(2, NEW_FEE, 200, "Films")])
    assert contradictions([passage(1, FEE, 100, "Fees 2025"), passage(2, NEW_FEE, 200, "Fees 2026")])


def test_parts_of_one_document_and_documents_of_one_day_or_none_are_left_alone() -> None:
    one, other = passage(1, FEE, 100), passage(2, NEW_FEE, 200)
    assert not contradictions([one, other.model_copy(update={"document_id": one.document_id})])
    assert not contradictions([one, other.model_copy(update={"dated": 0})])
    assert not contradictions([one, other.model_copy(update={"dated": one.dated + 1})])


def test_the_newer_issue_of_a_document_stands_before_the_older_and_others_stay() -> None:
    first, old, new = passage(1, "Books.", 1), passage(2, FEE, 100), passage(3, NEW_FEE, 200)
    assert newest_first([old, first, new]) == [first, new, old]
    assert newest_first([new, first, old]) == [new, first, old]


def test_a_document_of_another_name_is_not_moved() -> None:
    old = passage(1, "Annual leave is 25 days.", 100, document="leave/france.md")
    new = passage(2, "Annual leave is 30 days.", 200, document="leave/germany.md")
    assert contradictions([old, new])
    assert newest_first([old, new]) == [old, new]


SENTENCES = ["The late fee is {} euros.", "The deposit is {} euros.", "Annual leave is {} days."]
TEXTS = st.lists(
    st.builds(str.format, st.sampled_from(SENTENCES), st.integers(1, 3)), min_size=1, max_size=3, unique=True
).map(" ".join)


@given(st.lists(st.tuples(TEXTS, st.integers(0, 5)), max_size=6))
def test_no_passage_is_lost_and_none_stands_before_a_newer_one(texts: list[tuple[str, int]]) -> None:
    passages = [passage(number, text, day) for number, (text, day) in enumerate(texts)]
    order = newest_first(passages)
    assert sorted(item.chunk_id for item in order) == sorted(item.chunk_id for item in passages)
    assert all(pair.newer < pair.older for pair in contradictions(order))


@given(st.text(alphabet="0123456789,. \ub9cc\ucc9cmilon\u20ac", max_size=400), st.integers(0, 6000))
def test_no_text_is_an_error(text: str, digits: int) -> None:
    contradictions([passage(1, f"{text} {'9' * digits} million euros", 1), passage(2, f"{text} \ub9cc euros", 2)])
