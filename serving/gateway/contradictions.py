"""Passages of different documents that state the same with other values, such as two issues of a price list. Pure.

Only sentences that are alike but for one value count: whether others contradict each other, no rule can tell. If two
values differ, one of them is often a name, as in "Model 100 weighs 5 kg" and "Model 200 weighs 6 kg".
"""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from contract.search import Evidence
from serving.gateway.dates import iso_date
from serving.gateway.values import claimed_values

_SENTENCE_END = re.compile(r"(?<=[.!?\u3002])\s+|\n+")
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_WORDS = 3  # fewer are a label, which many documents have


@dataclass(frozen=True)
class Contradiction:
    """Positions among the passages."""

    newer: int
    older: int

    def other(self, position: int) -> int | None:
        """The other one's position; None if this is neither."""
        return {self.newer: self.older, self.older: self.newer}.get(position)


def contradictions(passages: Sequence[Evidence]) -> list[Contradiction]:
    """Pairs of passages whose documents are of different times."""
    statements = [dict(_statements(item)) for item in passages]
    return [
        Contradiction(first, second) if passages[first].dated > passages[second].dated else Contradiction(second, first)
        for first in range(len(passages))
        for second in range(first + 1, len(passages))
        if _are_of_two_times(passages[first], passages[second])
        and any(
            _differ_by_one(values, statements[second].get(words, values)) for words, values in statements[first].items()
        )
    ]


def remarks(passages: Sequence[Evidence], pairs: Sequence[Contradiction]) -> list[str]:
    """What a model is to know about passages numbered from 1."""
    names = [f"[{number}] ({item.document}, {iso_date(item.dated)})" for number, item in enumerate(passages, 1)]
    return [
        f"{names[pair.newer]} and {names[pair.older]} state different values: use the newer one unless the question is "
        "about the other, and say that they differ."
        for pair in pairs
    ]


def newest_first(passages: Sequence[Evidence]) -> list[Evidence]:
    """A passage that is contradicted by a newer one stands behind it; all others keep their order."""
    order = list(passages)
    for pair in contradictions(passages):
        newer, older = order.index(passages[pair.newer]), order.index(passages[pair.older])
        if older < newer:
            order.insert(older, order.pop(newer))
    return order


def _differ_by_one(values: Set[str], others: Set[str]) -> bool:
    return len(values - others) == 1 == len(others - values)


def _are_of_two_times(one: Evidence, other: Evidence) -> bool:
    return one.document_id != other.document_id and 0 not in (one.dated, other.dated) and one.dated != other.dated


def _statements(item: Evidence) -> Iterator[tuple[Set[str], Set[str]]]:
    """The words and the values of each sentence with values, under the heading of the passage."""
    for sentence in _SENTENCE_END.split(item.text):
        words, values = frozenset(_WORD.findall(sentence.casefold())), frozenset(claimed_values(sentence))
        if values and len(words) >= _LEAST_WORDS:
            yield words | {item.heading.casefold()}, values
