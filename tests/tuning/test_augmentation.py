"""Other wordings keep what decides the answer, and are none of the rows by which a model is judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.fine_tune import Augmentation
from tuning.augmentation import augmented
from tuning.duplicates import normal
from tuning.row import Message, Row

ALL, MANY = Augmentation(noise=1.0, copies=3), Augmentation(noise=1.0, copies=20)


def _row(question: str, answer: str = "yes", line: int = 1) -> Row:
    return Row(line, (Message("system", "Be short."), Message("user", question)), answer)


def _questions(rows: list[Row]) -> list[str]:
    return [row.prompt[-1].content for row in rows]


@given(st.text(max_size=60).filter(str.strip), st.text(max_size=20).filter(str.strip), st.integers(0, 5))
def test_answers_lines_and_the_rest_of_the_prompt_stay(question: str, answer: str, seed: int) -> None:
    row = _row(question, answer, 7)
    for copy in augmented([row], [], ALL, seed):
        assert (copy.answer, copy.line, copy.prompt[:-1]) == (row.answer, row.line, row.prompt[:-1])
        assert normal(copy.question) != normal(row.question)


def test_numbers_and_words_of_the_answer_stay() -> None:
    question = "How long is the refund window of 30 days for Velmora?"
    for text in _questions(augmented([_row(question, "Velmora: 30 days")], [], Augmentation(noise=1.0, copies=20), 1)):
        assert " 30 days " in text
        assert "Velmora" in text


@pytest.mark.parametrize(("question", "expected"), [
    ("Où est le café ?", {"Ou est le café ?", "Où est le cafe ?", "Ou est le cafe ?"}),
    ("환불은", {"환불", "화불은", "환부은", "환불으"}),
])  # fmt: skip
def test_accents_and_korean_lose_what_people_leave_out(question: str, expected: set[str]) -> None:
    found = set(_questions(augmented([_row(question)], [], Augmentation(noise=0.7, copies=20), 3)))
    assert found
    assert any(text in expected for text in found)


def test_held_out_questions_and_copies_are_never_made() -> None:
    rows = [_row("abcd")]
    every = _questions(augmented(rows, [], MANY, 1))
    assert len(set(map(normal, every))) == len(every)
    held = [_row(every[0])]
    assert every[0] not in _questions(augmented(rows, held, MANY, 1))


def test_templates_hold_the_question() -> None:
    how = Augmentation(noise=0, templates=("Hello, {question}",), copies=8)
    assert set(_questions(augmented([_row("how long?")], [], how, 0))) == {"Hello, how long?"}


def test_the_same_seed_makes_the_same_rows() -> None:
    rows = [_row(f"question number {name}", line=at) for at, name in enumerate(("one", "two", "three"))]
    assert augmented(rows, [], ALL, 4) == augmented(rows, [], ALL, 4) != augmented(rows, [], ALL, 5)
