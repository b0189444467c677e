"""Answers that became worse are told from those that vary."""

import json

import numpy as np
import pytest

from tuning.evaluation.comparison import Scores
from tuning.evaluation.golden import Change, Reference, changes
from tuning.evaluation.question import Question

COUNT = 200
QUESTIONS = [Question(line, f"q{line}", ("yes",), str(line)) for line in range(COUNT)]


def _scores(**rates: float) -> Scores:
    rng = np.random.default_rng(1)
    return {name: (rng.random(COUNT) < rate).astype(float).tolist() for name, rate in rates.items()}


def _since(first: Scores, now: Scores) -> list[Change]:
    return changes(Reference("c", "q", "c-1", first), now, QUESTIONS)


def test_the_same_answers_are_no_worse() -> None:
    scores = _scores(base=0.5, adapter=0.9)
    assert [(change.difference, change.p, change.is_worse) for change in _since(scores, scores)] == [(0, 1, False)] * 2


def test_a_variant_that_lost_a_tenth_of_its_answers_is_worse_and_the_other_is_not() -> None:
    first = _scores(base=0.5, adapter=0.9)
    right = [index for index, score in enumerate(first["adapter"]) if score]
    lost = set(right[: COUNT // 10])
    now = {**first, "adapter": [0.0 if index in lost else score for index, score in enumerate(first["adapter"])]}
    base, adapter = _since(first, now)
    assert (base.is_worse, adapter.is_worse) == (False, True)
    assert adapter.difference == pytest.approx(-0.1)
    assert adapter.low < -0.1 < adapter.high < 0
    assert str(adapter).startswith("adapter -0.100 (-0.1")


def test_better_answers_are_no_worse() -> None:
    first = _scores(adapter=0.5)
    assert not any(change.is_worse for change in _since(first, {"adapter": [1.0] * COUNT}))


def test_answers_that_vary_seldom_alarm() -> None:
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(200):
        one, other = ((rng.random(COUNT) < 0.7).astype(float).tolist() for _ in range(2))
        alarms += any(change.is_worse for change in _since({"a": one}, {"a": other}))
    assert alarms <= 2


def test_a_reference_is_of_one_comparison_and_its_questions() -> None:
    reference = Reference("c", "q", "c-1", {"a": [1.0]})
    assert reference.is_of("c", "q")
    assert not reference.is_of("d", "q")
    assert not reference.is_of("c", "r")
    assert json.loads(json.dumps(reference.as_json())) == {
        "comparison": "c", "questions": "q", "run": "c-1", "scores": {"a": [1.0]},
    }  # fmt: skip
