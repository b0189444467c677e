"""Compares variants by the scores of the same questions (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tuning.evaluation.statistics import LEVEL, Grouped, Interval, holm, interval, p_value, visible_difference

Scores = Mapping[str, Sequence[float]]  # by variant, in the order of the questions


@dataclass(frozen=True)
class Pair:
    """`one` has the larger mean of the two, by `difference`; `p` is corrected for the number of pairs."""

    one: str
    other: str
    difference: float
    interval: Interval
    p: float
    visible: float  # the smallest visible difference

    @property
    def better(self) -> str | None:
        """None if they are not told apart."""
        return self.one if self.p < LEVEL else None


@dataclass(frozen=True)
class Comparison:
    """`winner` is better than every other variant. `best` are the variants without a better one, the cheapest first."""

    means: Mapping[str, float]
    intervals: Mapping[str, Interval]
    pairs: Sequence[Pair]
    best: Sequence[str]

    @property
    def winner(self) -> str | None:
        beaten = {(pair.one, pair.other) for pair in self.pairs if pair.better}
        names = self.means.keys()
        return next((name for name in names if all((name, other) in beaten for other in names - {name})), None)


def compared(scores: Scores, groups: Sequence[str], costs: Mapping[str, float]) -> Comparison:
    """`costs` are tokens of an answer with its prompt, by variant."""
    grouped = {name: Grouped.of(values, groups) for name, values in scores.items()}
    names = list(combinations(scores, 2))
    corrected = holm([p_value(grouped[one] - grouped[other]) for one, other in names])
    pairs = [
        _pair(one, other, scores, grouped, p, len(names)) for (one, other), p in zip(names, corrected, strict=True)
    ]
    beaten = {pair.other for pair in pairs if pair.better}
    return Comparison(
        means={name: values.mean for name, values in grouped.items()},
        intervals={name: interval(values) for name, values in grouped.items()},
        pairs=pairs,
        best=sorted((name for name in scores if name not in beaten), key=lambda name: (costs[name], name)),
    )


def _pair(one: str, other: str, scores: Scores, grouped: Mapping[str, Grouped], p: float, tests: int) -> Pair:
    if grouped[one].mean < grouped[other].mean:
        one, other = other, one
    difference = grouped[one] - grouped[other]
    unequal = sum(a != b for a, b in zip(scores[one], scores[other], strict=True)) / len(scores[one])
    visible = visible_difference(unequal, len(difference.sums), tests)
    return Pair(one, other, difference.mean, interval(difference), p, visible)
