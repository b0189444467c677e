"""Units of amounts and halves of the day in a text, in one spelling (pure).

The same number with another unit is another value: 27 kg is not 27 April, and 2:00 am is not 2:00 pm.
"""

import re
import unicodedata
from collections.abc import Iterator, Set

_SPELLINGS = {
    "eur": "\u20ac eur euro euros \uc720\ub85c",
    "usd": "$ usd dollar dollars \ub2ec\ub7ec",
    "gbp": "\u00a3 gbp pound pounds \ud30c\uc6b4\ub4dc",
    "krw": "\u20a9 krw won \uc6d0",
    "%": "% percent prozent \ud37c\uc13c\ud2b8",
    "kg": "kg kilogram kilograms kilo kilos \ud0ac\ub85c\uadf8\ub7a8",
    "g": "g gram grams gramm \uadf8\ub7a8",
    "km": "km kilometre kilometres kilometer kilometers \ud0ac\ub85c\ubbf8\ud130",
    "cm": "cm centimetre centimetres centimeter centimeters \uc13c\ud2f0\ubbf8\ud130",
    "mm": "mm millimetre millimetres millimeter millimeters \ubc00\ub9ac\ubbf8\ud130",
    "gb": "gb gigabyte gigabytes",
    "mb": "mb megabyte megabytes",
    "second": "second seconds sec sekunde sekunden",
    "minute": "minute minutes min minuten",
    "hour": "hour hours hr hrs stunde stunden",
    "day": "day days tag tage tagen",
    "week": "week weeks woche wochen",
    "month": "month months monat monate monaten",
    "year": "year years jahr jahre jahren",
}
_UNIT = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_ANY = "|".join(sorted(map(re.escape, _UNIT), key=len, reverse=True))
# After a number, or a sign before it. A Korean unit stands without a space, and with particles after it.
_AFTER = re.compile(
    rf"(?<![\d.,])\d[\d.,]*+[\s\u00a0-]?(?:\ub9cc|\ucc9c|million|mio|thousand|business|working|calendar)?\s?({_ANY})(?![a-z])"
)
_BEFORE = re.compile(r"([$\u20ac\u00a3\u20a9])\s?\d[\d.,]*+")
_ALONE = re.compile(rf"(?<![a-z])({_ANY})(?![a-z])")
_HALF = re.compile(r"\d\s?([ap])\.?m\b|(\uc624\uc804|\uc624\ud6c4)\s?\d")
_CLOCK = re.compile(r"\b(\d{1,2}):\d{2}\b(?!\s?[ap]\.?m)")
_HALVES = {"a": "am", "p": "pm", "\uc624\uc804": "am", "\uc624\ud6c4": "pm"}


def claimed_units(clause: str) -> Set[str]:
    """The units beside the numbers of a sentence of an answer."""
    plain = _plain(clause)
    units = {_UNIT[each] for pattern in (_AFTER, _BEFORE) for each in pattern.findall(plain)}
    return frozenset(units | set(_halves(plain)))


def amounts(clause: str) -> list[str]:
    """The numbers of a sentence that have a unit, with it."""
    plain = _plain(clause)
    return [match[0] for pattern in (_AFTER, _BEFORE) for match in pattern.finditer(plain)]


def passage_units(passage: str) -> Set[str]:
    """Every unit that a passage names. A time of 24 hours has its half of the day."""
    plain = _plain(passage)
    units = {_UNIT[each] for each in _ALONE.findall(plain)} | {_UNIT[each] for each in _AFTER.findall(plain)}
    return frozenset(units | set(_halves(plain)) | set(_of_clock(plain)))


def _halves(plain: str) -> Iterator[str]:
    yield from (_HALVES[letter or word] for letter, word in _HALF.findall(plain))


def _of_clock(plain: str) -> Iterator[str]:
    for hour in map(int, _CLOCK.findall(plain)):
        yield "am" if hour < 12 else "pm"
        if hour in (0, 12):
            yield from ("am", "pm")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
