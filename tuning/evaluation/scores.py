"""How right an answer is, from 0 to 1 (pure).

Texts are compared without marks of citations, case, punctuation at the ends, and differences of spacing (NFKC). F1 is
that of words, of characters where a text has Hangul, kana or ideographs, since those are not spaced by word alone.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import jsonschema

from tuning.evaluation.answer import Answer
from tuning.evaluation.plan import Metric
from tuning.evaluation.question import Question

_MARK = re.compile(r"\s*\[\d+\]")
_ENDS = " \t\n.,;:!?\"'()*_`。、"
_BY_CHARACTER = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]")

Score = Callable[[Question, Answer], float]


def score(metric: Metric, question: Question, answer: Answer, abstentions: Sequence[str] = ()) -> float:
    """A question without an answer is answered right by an abstention alone; an error is never right."""
    if answer.error:
        return 0.0
    if not question.is_answerable:
        return float(abstains(answer, abstentions))
    return _SCORES[metric](question, answer)


def abstains(answer: Answer, abstentions: Sequence[str]) -> bool:
    return answer.abstained or normal(answer.text) in {normal(sentence) for sentence in abstentions}


def normal(text: str) -> str:
    without = _MARK.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(without.casefold().split()).strip(_ENDS)


def _exact(question: Question, answer: Answer) -> float:
    return float(normal(answer.text) in {normal(accepted) for accepted in question.answers})


def _contains(question: Question, answer: Answer) -> float:
    """An accepted answer is in the text, not within a longer word or number."""
    text = normal(answer.text)
    return float(any(re.search(rf"(?<!\w){re.escape(normal(each))}(?![\w]|[.,]\d)", text) for each in question.answers))


def _f1(question: Question, answer: Answer) -> float:
    return max(_overlap(_units(answer.text), _units(accepted)) for accepted in question.answers)


def _units(text: str) -> Counter[str]:
    plain = normal(text)
    return Counter(plain.replace(" ", "") if _BY_CHARACTER.search(plain) else plain.split())


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    common = (one & other).total()
    return 2 * common / (one.total() + other.total()) if common else 0.0


def _json(question: Question, answer: Answer) -> float:
    """It is JSON that fits the question's schema; without one, it equals an accepted answer."""
    try:
        value = json.loads(answer.text)
        if question.schema is None:
            return float(any(value == json.loads(accepted) for accepted in question.answers))
        jsonschema.validate(value, question.schema)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        return 0.0
    return 1.0


def _citation(question: Question, answer: Answer) -> float:
    """F1 of the cited documents against those that have the answer."""
    common = len(question.sources & answer.cited)
    return 2 * common / (len(question.sources) + len(answer.cited)) if common else 0.0


_SCORES: Mapping[Metric, Score] = {
    "exact": _exact, "contains": _contains, "f1": _f1, "json": _json, "citation": _citation,
}  # fmt: skip
