"""Passages of different documents that state the same with another value, such as two issues of a price list. Pure.

Only sentences that are alike but for one amount count: whether others contradict each other, no rule can tell. Numbers
without a unit are often names, as in "Room 101"; if two values differ, one of them often is.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import PurePosixPath

from contract.search import Evidence
from serving.gateway.units import amounts, claimed_units
from serving.gateway.values import claimed_values

_SENTENCE_END = re.compile(r"(?<=[.!?\u3002])\s+|\n+")
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_LETTERS = 8  # fewer are a label, which many documents have
_DAY = 86_400  # seconds

Subject = tuple[str, ...]
"""The words and units of a sentence, and those of its heading."""


@dataclass(frozen=True)
class Statement:
    values: Set[str]
    amounts: Set[str]
    """The values with a unit."""


@dataclass(frozen=True)
class Contradiction:
    """Positions among the passages."""

    newer: int
    older: int

    def other(self, position: int) -> int | None:
        """The other one's position; None if this is neither."""
        return {self.newer: self.older, self.older: self.newer}.get(position)


def contradictions(passages: Sequence[Evidence]) -> list[Contradiction]:
    """Pairs of passages whose documents are of different days."""
    statements = [_statements(item) for item in passages]
    return [
        Contradiction(first, second) if passages[first].dated > passages[second].dated else Contradiction(second, first)
        for first in range(len(passages))
        for second in range(first + 1, len(passages))
        if _are_of_two_days(passages[first], passages[second])
        and any(
            _differ_by_one(statements[first][subject], statements[second][subject])
            for subject in statements[first].keys() & statements[second].keys()
        )
    ]


def newest_first(passages: Sequence[Evidence]) -> list[Evidence]:
    """Of two issues of one document, by their names, a passage that the newer one contradicts stands behind it. All
    others keep their order: a document of another name may be about something else."""
    behind = {number: set[int]() for number in range(len(passages))}
    for pair in contradictions(passages):
        if _name(passages[pair.newer]) == _name(passages[pair.older]):
            behind[pair.older].add(pair.newer)
    order: list[int] = []
    while behind:  # a pair's newer passage is of a later day, so there is a first one
        order.append(next(number for number, newer in behind.items() if newer.isdisjoint(behind)))
        del behind[order[-1]]
    return [passages[number] for number in order]


def _name(item: Evidence) -> Subject:
    """The words of the file's name: those of "prices-2025.pdf" are those of "prices-2026.pdf"."""
    return tuple(_WORD.findall(PurePosixPath(item.document).stem.casefold()))


def _are_of_two_days(one: Evidence, other: Evidence) -> bool:
    is_known = 0 not in (one.dated, other.dated)
    return is_known and one.document_id != other.document_id and one.dated // _DAY != other.dated // _DAY


def _differ_by_one(one: Statement, other: Statement) -> bool:
    differing, others = one.values - other.values, other.values - one.values
    return len(differing) == 1 == len(others) and differing <= one.amounts and others <= other.amounts


def _statements(item: Evidence) -> Mapping[Subject, Statement]:
    """Those with an amount, by their subject. Sentences that are alike, such as the rows of a table, are left out."""
    stated = list(_stated(item))
    times = Counter(subject for subject, _statement in stated)
    return {subject: statement for subject, statement in stated if times[subject] == 1}


def _stated(item: Evidence) -> Iterator[tuple[Subject, Statement]]:
    heading = _WORD.findall(item.heading.casefold())
    for sentence in _SENTENCE_END.split(item.text):
        if with_units := amounts(sentence):
            words = _WORD.findall(sentence.casefold())
            if sum(map(len, words)) >= _LEAST_LETTERS:
                subject = (*heading, "", *words, "", *sorted(claimed_units(sentence)))
                yield subject, Statement(claimed_values(sentence), claimed_values(" ; ".join(with_units)))
