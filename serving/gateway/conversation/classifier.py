"""A naive Bayes classifier of short messages. Pure.

A message is read as its phrases: words, pairs of words, the parts of Korean words, whose endings are not divided from
them by spaces, and its length.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

_SMOOTHING = 0.1  # added to each count of a phrase
_WORD = re.compile(r"\w+|[^\w\s]")
_APOSTROPHE = re.compile(r"['\u2019]")
_NUMBER = re.compile(r"\d+")
HANGUL = re.compile("[\uac00-\ud7a3\u3131-\u318e\u1100-\u11ff]")
_PART_LENGTHS = (2, 3, 4)
_BEGIN, _END = "^", "$"
_LONGEST = 10  # words that are counted


@dataclass(frozen=True)
class Classifier:
    kinds: tuple[str, ...]
    counts: Mapping[str, Counter[str]]
    """By phrase, the number of examples of each kind that have it."""
    sums: Mapping[str, float]
    """By kind, that of all phrases."""
    unknown: Mapping[str, float]
    """By kind, the probability of a word that is in no example."""

    @classmethod
    def of(cls, examples: Iterable[tuple[str, str]]) -> Self:
        """From pairs of kind and message, of at least two kinds."""
        counts: dict[str, Counter[str]] = {}
        for kind, message in examples:
            for phrase in phrases(words(message)):
                counts.setdefault(phrase, Counter())[kind] += 1
        totals = _totals(counts.values())
        kinds = tuple(sorted(totals))
        sums = {kind: totals[kind] + _SMOOTHING * len(counts) for kind in kinds}
        return cls(kinds, counts, sums, _unknown(counts, kinds))

    def scores(self, message: str) -> dict[str, float]:
        """By kind, the logarithm of the message's probability; all kinds are equally common."""
        said = words(message)
        rows = [counted for phrase in phrases(said) if (counted := self.counts.get(phrase))]
        unknown = sum(word not in self.counts and word.isalnum() for word in set(said))
        return {
            kind: math.fsum(math.log((counted[kind] + _SMOOTHING) / self.sums[kind]) for counted in rows)
            + unknown * math.log(self.unknown[kind])
            for kind in self.kinds
        }


def words(message: str) -> list[str]:
    """In lower case and without apostrophes; each sign is a word, all numbers are the same one. Syllables that come as
    their letters, as from a Mac, are put together."""
    text = unicodedata.normalize("NFC", message).casefold()
    return _WORD.findall(_NUMBER.sub("0", _APOSTROPHE.sub("", text)))


def phrases(said: list[str]) -> Set[str]:
    row = [_BEGIN, *said, _END]
    pairs = {" ".join(pair) for pair in pairwise(row)}
    parts = {part for word in said if HANGUL.search(word) for part in _parts(word)}
    length = min(_LONGEST, sum(word.isalnum() for word in said))
    return {*said, *pairs, *parts, f"#{length}"}


def _parts(word: str) -> Iterable[str]:
    """With marks, because no part is to be taken for a word."""
    marked = f"_{word}_"
    return (
        f"~{marked[start : start + length]}"
        for length in _PART_LENGTHS
        for start in range(len(marked) - length + 1)
    )  # fmt: skip


def _unknown(counts: Mapping[str, Counter[str]], kinds: Iterable[str]) -> dict[str, float]:
    """As often as a kind's words are in one example alone (Good and Turing's estimate)."""
    of_words = [of_phrase for phrase, of_phrase in counts.items() if phrase.isalnum()]
    totals, single = _totals(of_words), _totals(counted for counted in of_words if counted.total() == 1)
    return {kind: (single[kind] + 1) / (totals[kind] + 1) for kind in kinds}


def _totals(counts: Iterable[Counter[str]]) -> Counter[str]:
    totals = Counter[str]()
    for counted in counts:
        totals.update(counted)
    return totals
