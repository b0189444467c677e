"""Passages of different documents that state the same with other values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.search import Evidence
from serving.gateway.contradictions import Contradiction, contradictions, newest_first
from tests.serving.gateway.passages import evidence

FEE = "The late fee is 25 euros. It is due at once."


def passage(number: int, text: str, dated: int, heading: str = "") -> Evidence:
    item = evidence(number, document=f"{number}.md", text=text, heading=heading)
    return item.model_copy(update={"dated": dated, "document_id": f"document-{number}"})


@pytest.mark.parametrize(
    ("other", "is_contradiction"),
    [
        ("The late fee is 30 euros.", True),
        ("It is due at once. The late fee is \u20ac 30.", False),  # other words: no rule can tell
        ("The late fee is 25 euros. Reminders are free.", False),  # the same value
        ("The delivery fee is 30 euros.", False),
        ("The late fee is waived.", False),
        ("Fee: 30", False),
    ],
)
def test_sentences_that_are_alike_but_for_their_values_contradict_each_other(
    other: str, is_contradiction: bool
) -> None:
    found = contradictions([passage(1, FEE, 100), passage(2, other, 200)])
    assert found == ([Contradiction(newer=1, older=0)] if is_contradiction else [])


def test_sentences_with_names_of_numbers_are_about_two_subjects() -> None:
    assert not contradictions([passage(1, "Model 100 weighs 5 kg.", 100), passage(2, "Model 200 weighs 6 kg.", 200)])
    assert contradictions([passage(1, "Model 100 weighs 5 kg.", 100), passage(2, "Model 100 weighs 6 kg.", 200)])


def test_headings_are_subjects() -> None:
    assert not contradictions([passage(1, FEE, 100, "Books"), passage(2, "The late fee is 30 euros.", 200, "Films")])
    assert contradictions([passage(1, FEE, 100, "Books"), passage(2, "The late fee is 30 euros.", 200, "Books")])


def test_parts_of_one_document_and_documents_of_unknown_or_equal_date_are_left_alone() -> None:
    one, other = passage(1, FEE, 100), passage(2, "The late fee is 30 euros.", 200)
    assert not contradictions([one, other.model_copy(update={"document_id": one.document_id})])
    assert not contradictions([one, other.model_copy(update={"dated": 0})])
    assert not contradictions([one, other.model_copy(update={"dated": 100})])


def test_the_newer_of_two_stands_before_the_older_and_others_stay() -> None:
    first, old, new = passage(1, "Books.", 1), passage(2, FEE, 100), passage(3, "The late fee is 30 euros.", 200)
    assert newest_first([old, first, new]) == [new, old, first]
    assert newest_first([new, first, old]) == [new, first, old]


@given(
    st.lists(st.tuples(st.sampled_from([FEE, "The late fee is 30 euros.", "Books."]), st.integers(0, 5)), max_size=6)
)
def test_no_passage_is_lost_and_none_stands_before_a_newer_one(texts: list[tuple[str, int]]) -> None:
    passages = [passage(number, text, dated) for number, (text, dated) in enumerate(texts)]
    order = newest_first(passages)
    assert sorted(item.chunk_id for item in order) == sorted(item.chunk_id for item in passages)
    assert all(pair.newer < pair.older for pair in contradictions(order))
