"""Values in a text: the numbers of amounts, dates and codes, in one spelling (pure)."""

import re
import unicodedata
from collections.abc import Set

# Digits with the marks that stand inside of a number: 1,234.50, 1 234,50, 1'234.
_NUMBER = re.compile(r"\d+(?:[.,'\u2019 \u00a0\u202f]\d+)*")
_GROUPED = re.compile(r"(?<=\d)[.,'\u2019 \u00a0\u202f](?=\d{3}(?!\d))")
_WORDS = {
    word: str(number)
    for number, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=2
    )
}
_WORD = re.compile(r"[a-z]+")


def values(text: str) -> Set[str]:
    """A date is its numbers, in any order: "2026-01-02" holds those of "2 January 2026"."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    numbers = {_canonical(number) for match in _NUMBER.findall(plain) for number in _parts(match)}
    return numbers | {_WORDS[word] for word in _WORD.findall(plain) if word in _WORDS}


def _parts(number: str) -> list[str]:
    """One number, or several that only spaces join: "30 45"."""
    joined = _GROUPED.sub("", number)
    return [joined] if " " not in joined else joined.split(" ")


def _canonical(number: str) -> str:
    whole, _, rest = re.sub(r"['\u2019]", "", number).replace(",", ".").partition(".")
    if "." in rest:  # a version, an address, a date with dots
        return f"{whole}.{rest}"
    fraction = rest.rstrip("0")
    return f"{whole.lstrip('0') or '0'}.{fraction}" if fraction else whole.lstrip("0") or "0"
