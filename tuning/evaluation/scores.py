"""How right an answer is, from 0 to 1 (pure)."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jsonschema

from contract.evaluation import Metric
from tuning.evaluation.answer import Answer
from tuning.evaluation.question import Question
from tuning.evaluation.text import SCRIPTS, normal

_BY_CHARACTER = re.compile(f"[{SCRIPTS}]")
# A letter or digit that would make another word or number; characters of unspaced scripts do not.
_WORD = rf"[^\W{SCRIPTS}]"

Score = Callable[[Question, Answer], float]


def score(
    metric: Metric, question: Question, answer: Answer, abstentions: Sequence[str] = (), verdict: float = 0.0
) -> float:
    """A question without an answer is answered right by an abstention alone; an error is never right. `verdict` is the
    judge's."""
    if answer.error:
        return 0.0
    if not question.is_answerable:
        return float(abstains(answer, abstentions))
    return verdict if metric == "judge" else _SCORES[metric](question, answer)


def abstains(answer: Answer, abstentions: Sequence[str]) -> bool:
    return answer.abstained or normal(answer.text) in {normal(sentence) for sentence in abstentions}


def _exact(question: Question, answer: Answer) -> float:
    return float(normal(answer.text) in {normal(accepted) for accepted in question.answers})


def _contains(question: Question, answer: Answer) -> float:
    """An accepted answer is in the text, not within a longer word or number, nor behind a minus sign."""
    text = f" {normal(answer.text)}"
    return float(any(_within(normal(accepted)).search(text) for accepted in question.answers))


def _within(accepted: str) -> "re.Pattern[str]":
    return re.compile(rf"(?<!{_WORD})(?<!\d[.,])(?<!\s-){re.escape(accepted)}(?!{_WORD}|[.,]\d)")


def _f1(question: Question, answer: Answer) -> float:
    """Of words; of characters where a text has Hangul, kana or ideographs."""
    return max(_overlap(_units(answer.text), _units(accepted)) for accepted in question.answers)


def _units(text: str) -> Counter[str]:
    plain = normal(text)
    return Counter(plain.replace(" ", "") if _BY_CHARACTER.search(plain) else plain.split())


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    common = (one & other).total()
    return 2 * common / (one.total() + other.total()) if common else 0.0


def _json(question: Question, answer: Answer) -> float:
    """It is JSON by the question's schema; without one, it equals an accepted answer."""
    try:
        value = _parsed(answer.text)
        if question.schema is None:
            return float(any(_plain(value) == _plain(_parsed(accepted)) for accepted in question.answers))
        jsonschema.validate(value, question.schema)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return 0.0
    return 1.0


def _parsed(text: str) -> Any:
    """Raises ValueError, also for NaN and Infinity: JSON has neither."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def _plain(value: Any) -> str:
    """One text for equal JSON: true is not 1, and 1 is 1.0."""
    return json.dumps(_with_whole_numbers(value), sort_keys=True)


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_whole_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _citation(question: Question, answer: Answer) -> float:
    """F1 of the cited documents against those with the answer."""
    common = len(question.sources & answer.cited)
    return 2 * common / (len(question.sources) + len(answer.cited)) if common else 0.0


_SCORES: Mapping[Metric, Score] = {
    "exact": _exact, "contains": _contains, "f1": _f1, "json": _json, "citation": _citation,
}  # fmt: skip
