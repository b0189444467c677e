"""Whether answers have become worse than in the first run of the same comparison, question by question (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tuning.evaluation.comparison import Scores
from tuning.evaluation.question import Question
from tuning.evaluation.statistics import Grouped, holm, interval, p_value

# Of all variants of one run together: every hour for a month, that is less than one false alarm.
LEVEL = 0.001


@dataclass(frozen=True)
class Reference:
    """The scores of the first run: of each variant, in the order of the questions. `comparison` and `questions`
    identify what was compared."""

    comparison: str
    questions: str
    run: str
    scores: Scores

    def is_of(self, comparison: str, questions: str) -> bool:
        return (self.comparison, self.questions) == (comparison, questions)

    def as_json(self) -> Mapping[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Change:
    """A variant's mean score less its first one, with the interval of 95 %, and the corrected p-value."""

    variant: str
    difference: float
    low: float
    high: float
    p: float

    @property
    def is_worse(self) -> bool:
        return self.difference < 0 and self.p < LEVEL

    def __str__(self) -> str:
        return f"{self.variant} {self.difference:+.3f} ({self.low:+.3f} to {self.high:+.3f})"


def changes(reference: Reference, scores: Scores, questions: Sequence[Question]) -> list[Change]:
    """Of each variant. The reference is of the same comparison."""
    groups = [question.group for question in questions]
    differences = {
        name: Grouped.of(values, groups) - Grouped.of(reference.scores[name], groups) for name, values in scores.items()
    }
    corrected = holm([p_value(difference) for difference in differences.values()])
    return [_change(name, difference, p) for (name, difference), p in zip(differences.items(), corrected, strict=True)]


def _change(name: str, difference: Grouped, p: float) -> Change:
    between = interval(difference)
    return Change(name, difference.mean, between.low, between.high, p)
