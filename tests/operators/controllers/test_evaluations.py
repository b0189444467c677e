"""Evaluations over the real controllers: runs, results, and repetitions."""

from typing import Any

import pytest

from contract import conditions as c
from contract.conditions import Condition
from contract.evaluation import Evaluation
from contract.objects import AnyObject
from contract.resource import Key
from operators.desired.evaluation import EvaluationJob
from operators.reconcile.job_report import JobReport
from tests.operators import objects
from tests.operators.controllers.loop import Loop

COMPARED = Key(kind="Evaluation", namespace="acme", name="compared")
HOUR = 3600
QUESTIONS = "a" * 64


def _variant(name: str, score: float) -> dict[str, Any]:
    return {"name": name, "score": score, "low": score, "high": score, "tokens": 40.0, "medianSeconds": 0.2}


def _done(score: float = 0.5, questions: str = QUESTIONS) -> JobReport:
    result = {
        "questions": questions, "count": 30, "winner": "adapter", "best": ["adapter"], "conclusion": "winner: adapter",
        "variants": [_variant("base", 0.1), _variant("adapter", score)],
    }  # fmt: skip
    return JobReport("Done", result=result, place="/jobs")


@pytest.fixture
def loop() -> Loop:
    return Loop()


def _evaluation(loop: Loop) -> Evaluation:
    return loop.objects.evaluations[0]


def _ready(loop: Loop) -> Condition:
    ready = c.find(_evaluation(loop).status.conditions, c.READY)
    assert ready
    return ready


def _says(loop: Loop, *items: AnyObject) -> Loop:
    loop.files_say((objects.base_model(), objects.tenant(), *items))
    return loop.settle()


def test_progress_and_result_are_in_the_status(loop: Loop) -> None:
    loop.jobs.report = JobReport("Running", ({"answers": 12, "of": 60},))
    _says(loop, objects.evaluation())
    assert (_evaluation(loop).status.answers, _evaluation(loop).status.total) == (12, 60)
    assert (_ready(loop).reason, _ready(loop).message) == (c.ASKING, "12 of 60 answers")
    loop.jobs.report = _done()
    loop.time_passes(2)
    loop.settle()
    result = _evaluation(loop).status.result
    assert result
    assert (result.winner, [each.score for each in result.variants]) == ("adapter", [0.1, 0.5])
    assert result.report == f"/jobs/acme/runs/evaluation.compared.{result.run}"
    assert (_ready(loop).reason, _ready(loop).message) == (c.COMPARED, "winner: adapter")


def test_it_asks_as_its_tenant(loop: Loop) -> None:
    _says(loop, objects.evaluation())
    job = loop.jobs.running[COMPARED]
    assert isinstance(job, EvaluationJob)
    assert job.token == "token of acme"


def test_a_finished_one_is_not_asked_again_without_a_schedule(loop: Loop) -> None:
    loop.jobs.report = _done()
    _says(loop, objects.evaluation())
    loop.jobs.report = JobReport("Failed", message="it was asked again")
    loop.time_passes(1000 * HOUR)
    loop.events.enqueue_everything()
    loop.settle()
    assert _ready(loop).holds
    assert not loop.jobs.running


def test_a_golden_set_is_asked_again_in_time_and_keeps_its_history(loop: Loop) -> None:
    for number, score in enumerate((0.5, 0.6, 0.4), 1):
        loop.jobs.report = _done(score)
        _says(loop, objects.evaluation(everyHours=24))
        loop.time_passes(2)
        loop.settle()
        assert _evaluation(loop).status.run.endswith(f"-{number}")
        loop.jobs.report = JobReport("Running")
        loop.time_passes(23 * HOUR)
        loop.settle()
        assert _ready(loop).holds, "too early"
        loop.time_passes(1 * HOUR)
        loop.settle()
        assert _ready(loop).reason == c.ASKING
    scores = [point.scores[1] for point in _evaluation(loop).status.history]
    assert scores == ["adapter 0.400", "adapter 0.600", "adapter 0.500"]


def test_a_history_is_of_one_comparison_and_of_the_same_questions(loop: Loop) -> None:
    loop.jobs.report = _done()
    _says(loop, objects.evaluation())
    _says(loop, objects.evaluation(maxTokens=64))
    assert len(_evaluation(loop).status.history) == 1
    assert _evaluation(loop).status.run.endswith("-1")
    loop.jobs.report = _done(questions="b" * 64)
    _says(loop, objects.evaluation(maxTokens=64, everyHours=1))
    loop.time_passes(HOUR)
    loop.settle()
    assert len(_evaluation(loop).status.history) == 1


def test_a_stopped_one_has_no_job(loop: Loop) -> None:
    _says(loop, objects.evaluation())
    assert loop.jobs.running
    _says(loop, objects.evaluation(stopped=True))
    assert not loop.jobs.running
    assert _ready(loop).reason == c.STOPPED


def test_a_failed_one_says_why(loop: Loop) -> None:
    loop.jobs.report = JobReport("Failed", message="line 3: it has no answer")
    _says(loop, objects.evaluation())
    assert (_ready(loop).reason, _ready(loop).message) == (c.EVALUATION_FAILED, "line 3: it has no answer")


def test_a_failed_run_of_a_golden_set_does_not_end_it(loop: Loop) -> None:
    loop.jobs.report = JobReport("Failed", message="the gateway does not answer")
    _says(loop, objects.evaluation(everyHours=24))
    assert _ready(loop).reason == c.EVALUATION_FAILED
    loop.jobs.report = _done()
    loop.time_passes(24 * HOUR)
    loop.settle()
    assert _ready(loop).holds
    assert _evaluation(loop).status.run.endswith("-2")


def test_variants_that_cannot_be_compared_are_refused_and_end_nothing_else(loop: Loop) -> None:
    alike = [{"name": "one", "model": "base"}, {"name": "two", "model": "base"}]
    _says(loop, objects.evaluation(variants=alike))
    assert _ready(loop).reason == c.SAME_VARIANTS
    texts = ("가", "나")
    long = [{"name": f"v{number}", "model": "base", "system": text * 19_000} for number, text in enumerate(texts)]
    _says(loop, objects.evaluation(variants=long))
    assert _ready(loop).reason == c.TOO_LONG
    assert not loop.jobs.running


def test_it_waits_for_an_adapter_without_a_job(loop: Loop) -> None:
    """A job would hold the turn that the adapter's training needs."""
    variants = [{"name": "base", "model": "base"}, {"name": "styled", "model": "styled"}]
    _says(loop, objects.evaluation(variants=variants), objects.adapter("styled", source="finetune://style"))
    assert _ready(loop).reason == c.WAITING
    assert "no model styled answers" in _ready(loop).message
    assert not loop.jobs.running


def test_a_retry_counts_from_its_own_end(loop: Loop) -> None:
    loop.jobs.report = JobReport("Failed", message="the gateway does not answer")
    _says(loop, objects.evaluation(everyHours=1))
    loop.jobs.report = JobReport("Running")
    loop.events.enqueue([COMPARED])
    loop.settle()
    loop.time_passes(HOUR)
    loop.settle()
    assert _evaluation(loop).status.run.endswith("-1")
    assert _ready(loop).reason == c.ASKING


def test_variants_need_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="name of its own"):
        objects.evaluation(variants=[{"name": "one", "model": "a"}, {"name": "one", "model": "b"}])


def test_answers_worse_than_in_the_first_run_are_a_condition(loop: Loop) -> None:
    loop.jobs.report = _done()
    _says(loop, objects.evaluation(everyHours=24))
    assert c.find(_evaluation(loop).status.conditions, c.AS_GOOD) is None
    first = _evaluation(loop).status.run
    for worse, reason in (("base -0.100 (-0.150 to -0.050)",), c.WORSE), ((), c.AS_BEFORE):
        report = _done()
        loop.jobs.report = JobReport("Done", result={**report.result, "first": first, "worse": worse}, place="/jobs")
        loop.time_passes(25 * HOUR)
        loop.settle()
        condition = c.find(_evaluation(loop).status.conditions, c.AS_GOOD)
        assert condition is not None
        assert (condition.holds, condition.reason) == (not worse, reason)
        assert first in condition.message
        assert all(each in condition.message for each in worse)


def test_another_comparison_ends_the_verdict_on_the_last_one(loop: Loop) -> None:
    loop.jobs.report = _done()
    _says(loop, objects.evaluation(everyHours=24))
    first = _evaluation(loop).status.run
    worse = {**_done().result, "first": first, "worse": ("base -0.100 (-0.150 to -0.050)",)}
    loop.jobs.report = JobReport("Done", result=worse, place="/jobs")
    loop.time_passes(25 * HOUR)
    loop.settle()
    assert c.find(_evaluation(loop).status.conditions, c.AS_GOOD) is not None
    loop.jobs.report = JobReport("Running")
    _says(loop, objects.evaluation(everyHours=24, maxTokens=9))
    assert c.find(_evaluation(loop).status.conditions, c.AS_GOOD) is None
