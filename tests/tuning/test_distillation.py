"""What a student is taught, and what not."""

import json
from pathlib import Path

import pytest

from tuning.distillation import CUT, DOCUMENTS, EMPTY, NOT_CITED, REFUSED, distilled
from tuning.evaluation.answer import Answer
from tuning.evaluation.question import Question, QuestionsInvalidError, unanswered
from tuning.formats import row_of
from tuning.row import Row

CITED = frozenset({"refunds.md"})


def _question(text: str = "How long?", **more: object) -> Question:
    return Question(1, text, (), "1", **more)  # type: ignore[arg-type]


def test_a_cited_answer_is_learned_without_its_marks() -> None:
    result = distilled([_question(system="Be short.")], [Answer("30 days [1].", cited=CITED)], needs_citation=True)
    (row,) = result.rows
    assert [message["content"] for message in row["messages"]] == ["Be short.", "How long?", "30 days."]
    assert isinstance(row_of(1, dict(row)), Row)  # a row as the trainer reads it


@pytest.mark.parametrize(("answer", "reason"), [
    (Answer("30 days"), NOT_CITED),
    (Answer("", error="no such model"), REFUSED),
    (Answer(" [1]", cited=CITED), EMPTY),
    (Answer("According to the document, 30 days [1]", cited=CITED), DOCUMENTS),
    (Answer("문서에 따르면 30일입니다 [1]", cited=CITED), DOCUMENTS),
    (Answer("Based on the given context, 30 days [1]", cited=CITED), DOCUMENTS),
    (Answer("30 days or [1]", cited=CITED, is_cut=True), CUT),
])  # fmt: skip
def test_what_is_not_to_be_learned_is_left_out_with_the_reason(answer: Answer, reason: str) -> None:
    result = distilled([_question()], [answer], needs_citation=True)
    assert result.rows == []
    assert result.dropped == {reason: 1}
    assert f"1 answers left out: {reason}" in list(result.summary)


def test_a_teacher_without_documents_need_not_cite() -> None:
    assert distilled([_question()], [Answer("30 days")], needs_citation=False).rows


def test_brackets_that_are_no_marks_stay() -> None:
    result = distilled([_question()], [Answer("In the context of arrays, take items[0].")], needs_citation=False)
    assert result.rows[0]["messages"][-1]["content"] == "In the context of arrays, take items[0]."


def test_abstentions_are_learned_and_counted() -> None:
    result = distilled([_question()], [Answer("I do not know.", abstained=True)], needs_citation=True)
    assert (len(result.rows), result.abstentions) == (1, 1)


def test_questions_for_a_teacher_need_no_answer(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "How long?", "group": "refunds"}\n\n{"question": "How much?", "answer": "5"}\n')
    assert [(question.text, question.answers) for question in unanswered(file)] == [
        ("How long?", ()),
        ("How much?", ()),
    ]
    file.write_text(json.dumps({"text": "no question"}) + "\n")
    with pytest.raises(QuestionsInvalidError, match="line 1"):
        unanswered(file)
