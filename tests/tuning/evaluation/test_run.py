"""Every variant gets every question; a run that was broken off goes on; the report says what came out."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tuning.evaluation.plan import Plan, Variant
from tuning.evaluation.question import Question
from tuning.evaluation.report import conclusion, lines, page
from tuning.evaluation.result import Result, result_of
from tuning.evaluation.run import ANSWERS, Asking, NotAnsweredError, OtherRunError, answered

QUESTIONS = [
    Question(line, f"q{line}", ("yes",) if line % 4 else (), f"g{line // 2}", is_answerable=line % 4 > 0)
    for line in range(60)
]
PLAN = Plan(
    questions=Path("q"),
    variants=(Variant(name="base", model="base"), Variant(name="better", model="better")),
    at_once=3,
)


class Model:
    """Right where `better`, or by chance. Stops after some answers."""

    def __init__(self, stop_after: int = 10_000) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self._stop_after = stop_after

    async def ask(self, body: Mapping[str, Any]) -> tuple[Mapping[str, Any], float]:
        if len(self.asked) >= self._stop_after:
            raise ConnectionError("gone")
        self.asked.append(body)
        line = int(body["messages"][-1]["content"][1:])
        if line == 5:
            raise NotAnsweredError("the question is too long")
        right = body["model"] == "better" or line % 3 == 0
        message = {"content": "yes" if right else "<no>", "abstained": right and line % 4 == 0}
        return {"choices": [{"message": message}], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}, 0.5


def _run(model: Model, folder: Path, plan: Plan = PLAN, place: str = "here") -> Result:
    answers = asyncio.run(answered(plan, QUESTIONS, place, model.ask, folder, lambda *_: None))
    return result_of(plan, QUESTIONS, answers)


def test_a_run_that_is_broken_off_asks_only_what_is_missing(tmp_path: Path) -> None:
    whole = Model()
    result = _run(whole, tmp_path / "whole")
    assert len(whole.asked) == 2 * 60 + 50
    with pytest.raises(ConnectionError):
        _run(Model(stop_after=31), tmp_path / "broken")
    file = tmp_path / "broken" / ANSWERS
    file.write_text(file.read_text() + '{"variant": "base", "li')  # as a kill leaves it
    rest = Model()
    assert _run(rest, tmp_path / "broken").comparison == result.comparison
    assert len(rest.asked) == len(whole.asked) - 30


def test_refusals_are_asked_again_unless_they_are_kept(tmp_path: Path) -> None:
    base = PLAN.variants[0]
    turns = [(base.name, base, question) for question in QUESTIONS[:8]]
    for keeps, again in ((True, 0), (False, 1)):
        file = tmp_path / f"{keeps}.jsonl"
        for asked in (8, again):
            model = Model()
            asking = Asking(model.ask, 256, 3, lambda *_: None, keeps_refusals=keeps)
            answers = asyncio.run(asking.answers(turns, "run", file))
            assert len(model.asked) == asked
            assert answers["base", 5].error


def test_another_plan_does_not_take_these_answers(tmp_path: Path) -> None:
    _run(Model(), tmp_path)
    other = PLAN.model_copy(update={"max_tokens": 9})
    with pytest.raises(OtherRunError, match="another run"):
        _run(Model(), tmp_path, other)
    with pytest.raises(OtherRunError):
        _run(Model(), tmp_path, place="an adapter's next version")
    metric = PLAN.model_copy(update={"metric": "contains"})
    again = Model()
    assert _run(again, tmp_path, metric).metric == "contains"
    assert not again.asked


def test_the_report_has_scores_winner_cost_and_abstention(tmp_path: Path) -> None:
    result = _run(Model(), tmp_path)
    assert result.comparison.winner == "better"
    assert result.comparison.means["better"] == pytest.approx(59 / 60)
    assert (result.groups, result.flips, result.repeated) == (30, 0, 50)
    assert (result.abstention["better"].withheld, result.abstention["better"].unanswerable) == (15, 15)
    assert result.use["base"].errors == 1
    assert (result.use["base"].prompt_tokens, result.use["base"].median_s) == (7, 0.5)  # of answers alone
    text = "\n".join(lines(result))
    assert "better is better than base: +" in text
    assert "winner: better" in text
    assert "withheld 15 of 15 unanswerable" in text
    html = page(result, "<a title>")
    assert "<svg" in html
    assert "&lt;a title&gt;" in html
    assert "http" not in html.replace("http-equiv", "")


def test_without_a_difference_it_says_what_could_have_been_seen(tmp_path: Path) -> None:
    plan = PLAN.model_copy(update={"variants": (Variant(name="one", model="a"), Variant(name="two", model="b"))})
    result = _run(Model(), tmp_path, plan)
    assert conclusion(result).startswith("no winner: one, two are not told apart")
    assert any("is not seen" in line for line in lines(result))
