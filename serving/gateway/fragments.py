"""Answers of a few words that state a value of a passage and then a word from nowhere, such as "May 13, 1994 business":
a small model goes on after its answer (pure)."""

import unicodedata
from collections.abc import Iterable, Sequence, Set

from serving.gateway.names import ordered_words

_MOST_WORDS = 6  # of an answer that is no sentence
_LEAST_VALUE = 2  # words: one may stand anywhere
_LEAST_LETTERS = 5  # of a word that says something; shorter ones join others
_BEGINNING = 4  # letters that two words of one stem share, as month and monthly


def goes_on(clause: str, *, here: Set[str], passages: Iterable[Sequence[str]]) -> bool:
    """True if the clause begins with words that stand so in one of its passages, and ends in words that are not `here`,
    among the words of its passages and of the question, nor of the stem of one. `passages` are words as they stand."""
    said = ordered_words(clause)
    if len(said) > _MOST_WORDS:
        return False
    value = max((_shared_beginning(said, passage) for passage in passages), default=0)
    more = said[value:]
    return value >= _LEAST_VALUE and bool(more) and all(_is_from_nowhere(word, here) for word in more)


def _shared_beginning(said: Sequence[str], passage: Sequence[str]) -> int:
    """The number of first words that stand in the passage one behind the other."""
    lengths = range(min(len(said), len(passage)), 0, -1)
    spelled = f" {' '.join(passage)} "
    return next((length for length in lengths if f" {' '.join(said[:length])} " in spelled), 0)


def _is_from_nowhere(word: str, here: Set[str]) -> bool:
    beginnings = {_without_accents(each)[:_BEGINNING] for each in here}
    return word.isalpha() and len(word) >= _LEAST_LETTERS and _without_accents(word)[:_BEGINNING] not in beginnings


def _without_accents(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
