"""Names in an answer that its passage does not have (pure).

An answer may be in other words than its passage, or in another language, so most of its words prove nothing. A name
does: where it stands in another passage that was shown, where it is a passage's name misspelt, or where an answer is
names alone.
"""

import re
from collections.abc import Sequence, Set
from itertools import takewhile

# A Korean particle behind a name is a word of its own.
_WORD = re.compile(r"[0-9A-Za-z\u00c0-\u024f]+|[^\W_0-9A-Za-z\u00c0-\u024f]+")
_NAME = re.compile(r"(?<![.!?\n] )(?<!^)\b[A-Z][^\W\d_]{3,}")  # not the first word of a sentence
_LEAST = 4  # letters of a name's beginning that make a resemblance
_ENDINGS = ("", "s", "es", "e", "n", "en", "er", "in", "ed", "ing")  # of another form of a word


def has_strange_name(clause: str, *, here: Set[str], own: Set[str], others: Set[str]) -> bool:
    """True if the clause has a name that is not `here`, among the words of its passage and of the question: a name of
    the other passages, one of its own passage misspelt, or one beside names of its own passage."""
    said = words(clause)
    strange = said - here
    return bool(
        strange & others
        or any(_is_misspelt(word, name) for word in strange for name in own)
        or (_is_names_alone(clause) and said & here and any(not _is_form_of(word, here) for word in strange))
    )


def words(text: str) -> Set[str]:
    """In lower case, numbers among them."""
    return frozenset(ordered_words(text))


def ordered_words(text: str) -> Sequence[str]:
    """The same, as they stand."""
    return [word.casefold() for word in _WORD.findall(text)]


def names(passage: str) -> Set[str]:
    """In lower case; the first words of sentences, and short ones, are left out."""
    return frozenset(name.casefold() for name in _NAME.findall(passage))


def _is_misspelt(word: str, name: str) -> bool:
    """True for a name with other letters at its end, unless it is another form of the word."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, name, strict=False)))
    if shared < max(_LEAST, len(name) - 2):
        return False
    return word[shared:] not in _ENDINGS or name[shared:] not in _ENDINGS


def _is_form_of(word: str, here: Set[str]) -> bool:
    stems = (word.removesuffix(ending) for ending in _ENDINGS)
    return any(stem in here and not stem.endswith("s") for stem in stems)


def _is_names_alone(clause: str) -> bool:
    return all(word[0].isupper() or word[0].isdigit() for word in _WORD.findall(clause))
