"""The result of an evaluation, as an Evaluation's status has it (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

from tuning.evaluation.golden import Change
from tuning.evaluation.report import conclusion
from tuning.evaluation.result import Result


def summary(result: Result, questions: str, first: str, changes: Sequence[Change]) -> Mapping[str, Any]:
    """The fields of `contract.evaluation.Outcome` known to the job. `questions` is the digest of their file, and
    `changes` are those since the run `first`."""
    return {
        "questions": questions,
        "count": result.questions,
        "winner": result.comparison.winner or "",
        "best": list(result.comparison.best),
        "conclusion": conclusion(result),
        "judge": str(result.noise or ""),
        "variants": [_variant(result, name) for name in result.comparison.means],
        "first": first,
        "worse": [str(change) for change in changes if change.is_worse],
    }


def _variant(result: Result, name: str) -> Mapping[str, Any]:
    interval, use, abstention = result.comparison.intervals[name], result.use[name], result.abstention[name]
    return {
        "name": name,
        "score": round(result.comparison.means[name], 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
        "tokens": round(use.prompt_tokens + use.answer_tokens, 1),
        "medianSeconds": round(use.median_s, 3),
        "withheld": abstention.withheld,
        "refused": abstention.refused,
        "errors": use.errors,
    }
