"""English words as they are typed in a chat."""

import re
from collections.abc import Set

from serving.gateway.conversation.english_phrases import SPELT_OUT

_LONG = {
    short: long
    for pair in re.split("[,\n]", SPELT_OUT.strip())
    for short, long in [pair.strip().split(" ", maxsplit=1)]
}
_LAUGHTER = re.compile("a?(?:ha|he|hi){2,}h?|l+o+l+(?:ol)*|lmf?ao+|ro+fl+|x+d+")
_STRETCHED = re.compile(r"(.)\1{2,}")
_PAIR = re.compile(r"(.)\1+")
_LEAST = 5  # letters: a slip in a shorter word is often another word


def spelt_out(clause: str, vocabulary: Set[str]) -> str:
    return " ".join(_word(word, vocabulary) for word in clause.split())


def _word(typed: str, vocabulary: Set[str]) -> str:
    if _LAUGHTER.fullmatch(typed):
        return "haha"
    word = _unstretched(typed, vocabulary)
    if word in _LONG:
        return _LONG[word]
    return word if word in vocabulary else _corrected(word, vocabulary)


def _unstretched(word: str, vocabulary: Set[str]) -> str:
    """`heyyy` as `hey`, `gooood` as `good`."""
    spellings = word, _STRETCHED.sub(r"\1\1", word), _PAIR.sub(r"\1", word)
    return next((each for each in spellings if each in vocabulary or each in _LONG), word)


def _corrected(word: str, vocabulary: Set[str]) -> str:
    """The word of the vocabulary with two letters exchanged, or one typed twice."""
    if len(word) < _LEAST:
        return word
    exchanged = (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(1, len(word) - 1))
    undoubled = (word[:at] + word[at + 1 :] for at in range(1, len(word)) if word[at] == word[at - 1])
    return next((each for each in (*exchanged, *undoubled) if each in vocabulary), word)
