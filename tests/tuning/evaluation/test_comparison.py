"""A winner is named only if it is better than every other variant."""

import numpy as np
import pytest

from tuning.evaluation.comparison import Comparison, compared

COUNT = 300
GROUPS = [str(number) for number in range(COUNT)]


def _compared(costs: dict[str, float] | None = None, **rates: float) -> Comparison:
    """Variants that are right with these probabilities."""
    rng = np.random.default_rng(4)
    scores = {name: (rng.random(COUNT) < rate).astype(float).tolist() for name, rate in rates.items()}
    return compared(scores, GROUPS, costs or dict.fromkeys(rates, 1.0))


def test_one_that_is_better_than_all_wins() -> None:
    comparison = _compared(base=0.4, prompt=0.55, adapter=0.8)
    assert comparison.winner == "adapter"
    assert comparison.best == ["adapter"]
    assert comparison.intervals["adapter"].low < 0.8 < comparison.intervals["adapter"].high


def test_two_that_are_alike_have_no_winner_and_the_cheaper_is_first() -> None:
    comparison = _compared({"base": 5, "adapter": 20, "both": 10}, base=0.4, adapter=0.8, both=0.8)
    assert comparison.winner is None
    assert comparison.best == ["both", "adapter"]


def test_the_same_answers_have_no_winner() -> None:
    scores = [1.0, 0.0] * 50
    comparison = compared({"a": scores, "b": scores}, GROUPS[:100], {"a": 1.0, "b": 2.0})
    assert comparison.winner is None
    assert comparison.pairs[0].p == 1.0
    assert comparison.best == ["a", "b"]


def test_a_difference_is_one_less_the_other() -> None:
    pair = compared({"a": [1.0, 1.0, 1.0, 0.0], "b": [0.0] * 4}, GROUPS[:4], {"a": 1, "b": 1}).pairs[0]
    assert (pair.one, pair.other, pair.difference) == ("a", "b", 0.75)
    assert pair.better is None  # of four questions none is sure


def test_the_visible_difference_is_larger_among_more_variants() -> None:
    two, six = _compared(a=0.5, b=0.5), _compared(a=0.5, b=0.5, c=0.5, d=0.5, e=0.5, f=0.5)
    assert six.pairs[0].visible == pytest.approx(two.pairs[0].visible * (2.935 + 0.842) / (1.960 + 0.842), rel=0.02)


def test_five_questions_name_no_winner() -> None:
    scores = {"a": [1.0] * 5 + [0.0] * 5, "b": [0.0] * 10}
    assert compared(scores, GROUPS[:10], {"a": 1, "b": 1}).winner is None  # p is 0.0625
