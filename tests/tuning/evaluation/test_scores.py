"""Answers are scored by rules that are stated, in any script."""

import pytest

from contract.evaluation import Metric
from tuning.evaluation.answer import Answer
from tuning.evaluation.question import Question
from tuning.evaluation.scores import score
from tuning.evaluation.text import normal

ASKED = Question(1, "How long is the window?", ("30 days", "a month"), "line 1", sources=frozenset({"refunds.md"}))


@pytest.mark.parametrize(("metric", "text", "right"), [
    ("exact", "30 days", 1), ("exact", "30 Days. [2]", 1), ("exact", "A  month!", 1), ("exact", "It is 30 days", 0),
    ("contains", "It is 30 days [1].", 1), ("contains", "It is 130 days", 0), ("contains", "30 days.5", 0),
    ("contains", "thirty days", 0), ("f1", "30 days", 1), ("f1", "30 nights", 0.5), ("f1", "no", 0),
])  # fmt: skip
def test_a_text_is_compared_with_accepted_ones(metric: Metric, text: str, right: float) -> None:
    assert score(metric, ASKED, Answer(text)) == pytest.approx(right)


def test_korean_is_compared_by_character() -> None:
    asked = Question(1, "얼마?", ("환불 기간은 30일",), "line 1")
    assert score("f1", asked, Answer("환불 기간이 30일")) == pytest.approx(2 * 7 / 16)
    assert score("exact", asked, Answer("환불 기간은 30일.")) == 1


@pytest.mark.parametrize(("accepted", "text", "right"), [
    ("30일", "30일입니다", 1), ("서울", "답은 서울입니다", 1), ("北京", "答案是北京。", 1),
    ("30日", "答えは30日です", 1),
    ("30일", "130일입니다", 0), ("500", "1,500 won", 0),
    ("5 %", "1.5 % a year", 0), ("5", "it is -5", 0),
    ("5", "-5", 0),
    ("5", "from 3-5 days", 1), (".5", "0.5", 0), ("500", "500.", 1), ("500", "500.5", 0), ("a+b", "it is a+b", 1),
])  # fmt: skip
def test_an_accepted_text_is_not_within_another_word_or_number(accepted: str, text: str, right: float) -> None:
    assert score("contains", Question(1, "q", (accepted,), "g"), Answer(text)) == right


@pytest.mark.parametrize(("text", "right"), [
    ('{"answer": "30 days"}', 1), ('{"answer": 30}', 0), ("30 days", 0), ("[" * 100_000, 0),
])  # fmt: skip
def test_json_fits_its_schema(text: str, right: float) -> None:
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    assert score("json", Question(1, "q", ("x",), "g", schema=schema), Answer(text)) == right


def test_json_without_a_schema_equals_an_accepted_answer() -> None:
    asked = Question(1, "q", ('{"a": 1, "b": 2}',), "g")
    assert score("json", asked, Answer('{"b":2,"a":1}')) == 1
    assert score("json", asked, Answer('{"b":2}')) == 0
    assert score("json", asked, Answer('{"a": 1.0, "b": 2}')) == 1
    assert score("json", asked, Answer('{"a": true, "b": 2}')) == 0
    assert score("json", Question(1, "q", ("1",), "g"), Answer("NaN")) == 0


def test_citations_are_those_of_documents_with_the_answer() -> None:
    assert score("citation", ASKED, Answer("30 days [1]", cited=frozenset({"refunds.md"}))) == 1
    assert score("citation", ASKED, Answer("x", cited=frozenset({"refunds.md", "a.md"}))) == pytest.approx(2 / 3)
    assert score("citation", ASKED, Answer("30 days")) == 0


@pytest.mark.parametrize("metric", ["exact", "contains", "f1", "json", "citation"])
def test_without_an_answer_an_abstention_alone_is_right(metric: Metric) -> None:
    asked = Question(1, "q", (), "g", is_answerable=False)
    assert score(metric, asked, Answer("", abstained=True)) == 1
    assert score(metric, asked, Answer("I do not know."), ["I do not know"]) == 1
    assert score(metric, asked, Answer("30 days")) == 0
    assert score(metric, asked, Answer("", error="refused")) == 0


def test_what_is_alike() -> None:
    assert normal(" “30　Days” [1][2].") == normal("“30 days”")
    assert normal("30 days.") != normal("3.0 days")
    assert normal(".5") != normal("5")
