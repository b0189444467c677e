"""No near copy is on two sides, and a row's side depends on its group alone."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tuning.division import Division, divided
from tuning.row import Message, Row

WORDS = ["refund", "parking", "window", "price", "plan", "office", "hours", "locker", "ticket", "badge", "visitor"]


def _row(line: int, question: str, answer: str = "yes", system: str = "") -> Row:
    before = (Message("system", system),) if system else ()
    return Row(line, (*before, Message("user", question)), answer)


def _questions(count: int) -> list[str]:
    made = random.Random(3)
    return [f"{n}: what about the {' '.join(made.sample(WORDS, 5))} of {made.random()}?" for n in range(count)]


def _sides(division: Division) -> dict[str, str]:
    parts = {"training": division.training, "held out": division.held_out, "final": division.final}
    return {row.question: side for side, rows in parts.items() for row in rows}


def test_about_a_tenth_is_on_each_held_out_side() -> None:
    division = divided([_row(n, question) for n, question in enumerate(_questions(600), 1)])
    assert 35 <= len(division.held_out) <= 85
    assert 35 <= len(division.final) <= 85
    assert len(division.training) + len(division.held_out) + len(division.final) == 600


def test_near_copies_are_on_one_side() -> None:
    questions = _questions(200)
    rows = [_row(n, text) for n, question in enumerate(questions) for text in (question, question.upper() + "!")]
    sides = _sides(divided(rows))
    assert all(sides[question] == sides[question.upper() + "!"] for question in questions)
    assert divided(rows).groups == 200


def test_rows_that_are_added_and_another_order_move_no_other_row() -> None:
    questions = _questions(200)
    before = _sides(divided([_row(n, question) for n, question in enumerate(questions[:100])]))
    shuffled = random.Random(1).sample(questions, 200)
    after = _sides(divided([_row(n, question) for n, question in enumerate(shuffled)]))
    assert {question: after[question] for question in before} == before


def test_exact_copies_are_dropped_and_other_answers_are_conflicts() -> None:
    rows = [_row(1, "What is it?", "a"), _row(2, "what is  it?", "a"), _row(3, "What is it?", "b"), _row(4, "Else?")]
    division = divided(rows)
    assert (division.dropped, division.conflicts) == ({2: 1}, {3: 1})
    assert sorted(row.line for side in (division.training, division.held_out, division.final) for row in side) == [
        1,
        3,
        4,
    ]


def test_the_same_question_to_another_system_message_is_another_one() -> None:
    division = divided([_row(1, "What is it?", "a", "Be brief."), _row(2, "What is it?", "a", "Be polite.")])
    assert not division.dropped


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.sampled_from(["a", "b"])), max_size=25))
def test_every_row_is_on_one_side_or_dropped(pairs: list[tuple[str, str]]) -> None:
    rows = [_row(line, question, answer) for line, (question, answer) in enumerate(pairs, 1)]
    division = divided(rows)
    kept = [row.line for side in (division.training, division.held_out, division.final) for row in side]
    assert sorted([*kept, *division.dropped]) == [row.line for row in rows]
