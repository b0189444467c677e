"""Whether passages prove what a sentence of an answer states: its numbers, their units, its names, and the words behind
a value (pure)."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from serving.gateway import fragments
from serving.gateway.names import has_strange_name, names, ordered_words, words
from serving.gateway.units import claimed_units, passage_units
from serving.gateway.values import claimed_values, passage_values


@dataclass(frozen=True)
class Passage:
    """What a passage holds. Each is read once: an answer may have very many marks."""

    text: str

    @cached_property
    def values(self) -> Set[str]:
        return passage_values(self.text)

    @cached_property
    def units(self) -> Set[str]:
        return passage_units(self.text)

    @cached_property
    def words(self) -> Set[str]:
        return words(self.text)

    @cached_property
    def ordered_words(self) -> Sequence[str]:
        return ordered_words(self.text)

    @cached_property
    def names(self) -> Set[str]:
        return names(self.text)


@dataclass(frozen=True)
class Claim:
    """What a sentence of an answer states beyond the question."""

    clause: str
    values: Set[str]
    units: Set[str]

    @classmethod
    def of(cls, clause: str, question: Passage) -> Self:
        values = claimed_values(clause) - question.values
        return cls(clause, values, claimed_units(clause) if values else frozenset())

    def is_worded_as(self, own: Sequence[Passage], others: Sequence[Passage], question: Passage) -> bool:
        """False if a unit or a name is of other passages than its own, or a word behind a value is of none."""
        here = _all(each.words for each in (*own, question))
        strange = has_strange_name(
            self.clause, here=here, own=_all(each.names for each in own), others=_all(each.names for each in others)
        )
        goes_on = fragments.goes_on(self.clause, here=here, passages=[each.ordered_words for each in own])
        return self.units <= _all(each.units for each in own) and not strange and not goes_on


def _all(sets: Iterable[Set[str]]) -> Set[str]:
    return frozenset().union(*sets)


def proving(run: Sequence[int], passages: Sequence[Passage], claim: Claim, question: Passage) -> list[int]:
    """The marks whose passage holds all values, or some of them if the passages of the run hold all together."""
    own = {number: passages[number - 1] for number in run if 1 <= number <= len(passages)}
    others = [passage for number, passage in enumerate(passages, 1) if number not in own]
    if not own or not claim.is_worded_as(list(own.values()), others, question):
        return []
    shares = len(own) > 1 and claim.values <= _all(each.values for each in own.values())
    return [
        number
        for number in run
        if number in own and (claim.values <= own[number].values or (shares and claim.values & own[number].values))
    ]
