"""Words broken at the end of a line. Pure.

A hyphen there is a part of the word ("well-known", "AB-CD") or was put in by the typesetter ("re-fund").
"""

import re
from collections.abc import Set

_BROKEN = re.compile(r"(?P<left>[^\W_][\w-]*)-\n(?P<right>[^\W_][\w-]*)")
_WORD = re.compile(r"[^\W_][\w-]*")
# First words of compounds that are hardly ever a syllable at the end of a line.
_FIRST_WORDS = frozenset(
    [
        "well",
        "self",
        "half",
        "high",
        "low",
        "long",
        "short",
        "full",
        "cross",
        "real",
        "year",
        "third",
        "two",
        "three",
        "four",
    ]
)


def words(text: str) -> Set[str]:
    """In lower case, without those that a line's end breaks."""
    return frozenset(word.casefold() for line in text.split("\n") for word in _WORD.findall(line.removesuffix("-")))


def unbroken(text: str, words: Set[str]) -> str:
    """Joins broken words. The hyphen stays in codes and longer compounds, and where the document has the word with
    it; `words` are the document's."""
    return _BROKEN.sub(lambda match: _joined(match["left"], match["right"], words), text)


def _joined(left: str, right: str, words: Set[str]) -> str:
    hyphenated, whole = f"{left}-{right}", f"{left}{right}"
    if whole.casefold() in words:
        return whole
    is_code = any(map(str.isdigit, hyphenated)) or (left.isupper() and right.isupper())
    is_compound = "-" in left or left.casefold() in _FIRST_WORDS or hyphenated.casefold() in words
    return hyphenated if is_code or is_compound else whole
