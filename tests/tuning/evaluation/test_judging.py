"""A judge's verdicts: two readings of each answer, and their noise."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tuning.evaluation.answer import Answer
from tuning.evaluation.judging import Noise, judged, verdicts_of
from tuning.evaluation.plan import Plan
from tuning.evaluation.question import Question
from tuning.evaluation.report import lines, page
from tuning.evaluation.result import result_of
from tuning.evaluation.run import NotAnsweredError, OtherRunError

VARIANTS = ({"name": "base", "model": "base"}, {"name": "other", "model": "other"})
QUESTIONS = [
    Question(1, "How long is the refund window?", ("30 days",), "1"),
    Question(2, "Who is the president?", (), "2", is_answerable=False),
    Question(3, "What is the fee?", ("12 dollars",), "3"),
]
ANSWERS = {
    ("base", 1): Answer("It is thirty days."), ("base", 2): Answer("I do not know.", abstained=True),
    ("base", 3): Answer("", error="refused"), ("other", 1): Answer("I do not know.", abstained=True),
    ("other", 2): Answer("It is me."), ("other", 3): Answer("13 dollars"),
}  # fmt: skip


def _plan(**more: Any) -> Plan:
    given = {"questions": "q.jsonl", "metric": "judge", "judge": {"model": "judge"}, "variants": VARIANTS}
    return Plan.model_validate({**given, **more})


class Judge:
    """Says yes to an answer with the word thirty."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []

    async def ask(self, body: Mapping[str, Any]) -> tuple[Mapping[str, Any], float]:
        self.asked.append(body)
        verdict = "Yes." if "thirty" in body["messages"][0]["content"] else "no"
        return {"choices": [{"message": {"content": verdict}, "finish_reason": "stop"}]}, 0.1


def _judged(reader: Judge, folder: Path, place: str = "here", **more: Any) -> Any:
    return asyncio.run(judged(_plan(**more), QUESTIONS, ANSWERS, place, reader.ask, folder, lambda *_: None))


def test_an_answer_is_read_twice_in_both_orders_and_others_not_at_all(tmp_path: Path) -> None:
    judge = Judge()
    verdicts = _judged(judge, tmp_path)
    texts = [body["messages"][0]["content"] for body in judge.asked]
    assert len(texts) == 4  # abstentions, errors and questions without an answer need no judge
    first, second = texts[:2]
    assert first.index("Accepted answers") < first.index("Given answer")
    assert second.index("Given answer") < second.index("Accepted answers")
    assert {body["model"] for body in judge.asked} == {"judge"}
    assert verdicts.scores == {("base", 1): 1.0, ("other", 3): 0.0}
    assert verdicts.noise == Noise(judged=2, split=0, unreadable=0)


def test_scores_are_the_verdicts_and_the_noise_is_reported(tmp_path: Path) -> None:
    plan = _plan()
    result = result_of(plan, QUESTIONS, ANSWERS, _judged(Judge(), tmp_path))
    assert result.comparison.means == {"base": 2 / 3, "other": 0.0}
    noise = "the judge read 2 answers in two orders: 0 verdicts changed with the order, and 0 were neither yes nor no"
    assert noise in list(lines(result))
    assert noise in page(result, "title")


def test_verdicts_are_kept_and_those_of_other_answers_are_not_taken(tmp_path: Path) -> None:
    _judged(Judge(), tmp_path)
    again = Judge()
    _judged(again, tmp_path)
    assert again.asked == []
    with pytest.raises(OtherRunError):
        _judged(Judge(), tmp_path, place="another version")


def test_a_criterion_takes_the_place_of_agreement(tmp_path: Path) -> None:
    judge = Judge()
    _judged(judge, tmp_path, judge={"model": "judge", "criterion": "It is right if it is polite."})
    assert all("if it is polite" in body["messages"][0]["content"] for body in judge.asked)


@pytest.mark.parametrize(("one", "other", "score", "noise"), [
    ("Yes", "yes, it agrees", 1.0, Noise(1, 0, 0)),
    ("**No**", "no", 0.0, Noise(1, 0, 0)),
    ("예", "네, 맞습니다", 1.0, Noise(1, 0, 0)),
    ("아니요", "아니오", 0.0, Noise(1, 0, 0)),
    ("yes", "no", 0.5, Noise(1, 1, 0)),
    ("yes", "The answer", 1.0, Noise(1, 0, 0)),
    ("Nothing", "", 0.0, Noise(1, 0, 1)),
    ("yesterday", "None", 0.0, Noise(1, 0, 1)),
])  # fmt: skip
def test_verdicts_are_read(one: str, other: str, score: float, noise: Noise) -> None:
    verdicts = verdicts_of({("base v 1", 1): one, ("base v 2", 1): other})
    assert (verdicts.scores, verdicts.noise) == ({("base v", 1): score}, noise)


def test_a_judge_that_the_api_refuses_gives_no_verdict(tmp_path: Path) -> None:
    class Refused(Judge):
        async def ask(self, body: Mapping[str, Any]) -> tuple[Mapping[str, Any], float]:
            raise NotAnsweredError("too long")

    assert _judged(Refused(), tmp_path).noise == Noise(judged=2, split=0, unreadable=2)


@pytest.mark.parametrize("more", [{"metric": "exact"}, {"judge": None}])
def test_the_metric_and_the_judge_belong_together(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="the metric judge needs a judge"):
        _plan(**more)
