"""A teacher's answers → a student's rows (pure).

The teacher has documents, a long prompt or more parameters; the student answers without. What the teacher does not
support by a citation is left out: wrongly learned facts are made up later (https://arxiv.org/abs/2405.05904).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuning.evaluation.answer import Answer
from tuning.evaluation.question import Question

_MARK = re.compile(r"\s*\[\d{1,2}\]")
# An answer from memory has no document to speak of.
_SPEAKS_OF_DOCUMENTS = re.compile(
    r"\b(according to|in|from|based on) the ((provided|given|above|following) )?"
    r"(document|passage|text|context|source)s?\b"
    r"|(문서|본문|자료|출처|문맥)(에 따르면|에 의하면|에서는|를 바탕으로|을 바탕으로)",
    re.IGNORECASE,
)
REFUSED, NOT_CITED, EMPTY, DOCUMENTS = "refused by the API", "not cited", "empty", "speaks of the documents"
CUT = "cut off at the limit of tokens"


@dataclass(frozen=True)
class Distilled:
    """`rows` are those of training data, `abstentions` how many of them are abstentions. `dropped` is by reason."""

    rows: Sequence[Mapping[str, Any]]
    abstentions: int
    dropped: Mapping[str, int]

    @property
    def summary(self) -> Iterator[str]:
        yield f"{len(self.rows)} rows, {self.abstentions} of them abstentions"
        yield from (f"{count} answers left out: {reason}" for reason, count in sorted(self.dropped.items()))


def distilled(questions: Sequence[Question], answers: Sequence[Answer], *, needs_citation: bool) -> Distilled:
    """Rows have the questions as they were asked, without the teacher's prompt and documents. Abstentions stay: a
    student without them answers everything."""
    pairs = list(zip(questions, answers, strict=True))
    reasons = [_fault(answer, needs_citation=needs_citation) for _, answer in pairs]
    kept = [pair for pair, reason in zip(pairs, reasons, strict=True) if reason is None]
    return Distilled(
        rows=[_row(question, answer) for question, answer in kept],
        abstentions=sum(answer.abstained for _, answer in kept),
        dropped=Counter(reason for reason in reasons if reason),
    )


def _fault(answer: Answer, *, needs_citation: bool) -> str | None:
    """Why nothing is to be learned from an answer."""
    if answer.error:
        return REFUSED
    if not _plain(answer):
        return EMPTY
    if answer.is_cut:
        return CUT
    if answer.abstained or not needs_citation:
        return None
    if not answer.cited:
        return NOT_CITED
    return DOCUMENTS if _SPEAKS_OF_DOCUMENTS.search(answer.text) else None


def _row(question: Question, answer: Answer) -> Mapping[str, Any]:
    system = [{"role": "system", "content": question.system}] if question.system else []
    history = [{"role": message.role, "content": message.content} for message in question.history]
    asked = [*system, *history, {"role": "user", "content": question.text}]
    return {"messages": [*asked, {"role": "assistant", "content": _plain(answer)}]}


def _plain(answer: Answer) -> str:
    """Without marks of citations: the student cites nothing."""
    return (_MARK.sub("", answer.text) if answer.cited else answer.text).strip()
