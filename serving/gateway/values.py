"""Values in a text: the numbers of amounts, dates and codes, in one spelling (pure).

An answer may spell a value otherwise than its passage, so a passage has more spellings than an answer: names of months,
number words and halves of a day are numbers there.
"""

import re
import unicodedata
from collections.abc import Iterator, Set

# 1,234 1.234 1'234 1 234: groups of three, not after another digit (2026 100 are two numbers).
_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:[.,'\u2019 \u00a0\u202f]\d{3}){1,10}(?!\d)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_LONG = re.compile(r"\d{31,}")
_TEN_THOUSANDS = re.compile(r"(\d+)\s?\ub9cc(?:\s?(\d+)\s?\ucc9c)?")  # 3만, 1만 5천
_THOUSANDS = re.compile(r"(\d+)\s?\ucc9c(?=\s?\uc6d0)")  # 5천 원
_MILLIONS = re.compile(r"(\d+(?:[.,]\d+)?)\s?(?:million|mio)\b")
# Numbers of lists and steps, which no passage needs to hold.
_ORDINALS = re.compile(r"^\W*(?:step\s\d{1,2}\W*|\d{1,2}[.):](?=\s)|[\u2460-\u2473])", re.IGNORECASE)
_AFTERNOON = re.compile(r"\b(\d{1,2})(?::(\d{2}))?\s?p\.?m\b")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {
    **{word: number for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
         "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"), start=1)},
    **{word: number for number, word in enumerate(
        ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), start=1)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
    **{month: number for number, month in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
         "december"), start=1)},
    "\ud55c": 1, "\ub450": 2, "\uc138": 3, "\ub124": 4, "\ub2e4\uc12f": 5, "\uc5ec\uc12f": 6, "\uc77c\uacf1": 7,
       "\uc5ec\ub35f": 8, "\uc544\ud649": 9, "\uc5f4": 10,
}  # fmt: skip
_WORD = re.compile(r"[a-z]+|[\uac00-\ud7a3]+(?=\s?(?:\ub2ec|\uac1c|\uc8fc|\uc2dc|\uba85|\ubc88))")


def claimed_values(clause: str) -> Set[str]:
    """The values of a sentence of an answer."""
    return frozenset(_numbers(_folded(_ORDINALS.sub("", clause))))


def passage_values(passage: str) -> Set[str]:
    """Every value that a passage holds, in all its spellings."""
    plain = _folded(passage)
    words = {str(_WORDS[word]) for word in _WORD.findall(plain) if word in _WORDS}
    afternoons = {str(int(hour) % 12 + 12) for hour, _ in _AFTERNOON.findall(plain)}
    evenings = {
        str(int(number) - 12) for number in _NUMBER.findall(plain) if number.isdecimal() and 13 <= int(number) <= 24
    }
    return frozenset(_numbers(plain)) | words | afternoons | evenings


def _folded(text: str) -> str:
    """A longer run of digits is no value, and the time that it takes grows with the square of its length."""
    return _LONG.sub(" ", unicodedata.normalize("NFKC", text).casefold())


def _numbers(plain: str) -> Iterator[str]:
    """A date is its numbers, in any order: "2026-01-02" holds those of "2 January 2026"."""
    text = _TEN_THOUSANDS.sub(lambda m: str(10_000 * int(m[1]) + 1_000 * int(m[2] or 0)), plain)
    text = _THOUSANDS.sub(lambda m: str(1_000 * int(m[1])), text)
    text = _MILLIONS.sub(lambda m: str(round(1e6 * float(m[1].replace(",", ".")))), text)
    text = _GROUPS.sub(lambda m: re.sub(r"\D", "", m[0]), text)
    for number in _NUMBER.findall(text):
        parts = re.split(r"[.,]", number)
        if len(parts) > 2 and _is_date(parts):
            yield from map(_plain, parts)
        elif len(parts) == 2 and "," in number and len(parts[1]) == 1 and len(parts[0]) == 1:
            yield from (_plain(parts[0]), _plain(parts[1]), f"{parts[0]}.{parts[1]}")  # 1,2: a list, or a decimal
        else:
            yield _decimal(parts)


def _is_date(parts: list[str]) -> bool:
    """2026.02.01 or 01.02.2026; 2.10.3 is a version."""
    return len(parts) == 3 and (len(parts[0]) == 4 or len(parts[2]) == 4)


def _decimal(parts: list[str]) -> str:
    """30.00 is 30; 3.10 is not 3.1, as it may be a version."""
    fraction = parts[1:]
    if len(fraction) == 1 and not fraction[0].strip("0"):
        fraction = []
    return ".".join([_plain(parts[0]), *fraction])


def _plain(number: str) -> str:
    return number.lstrip("0") or "0"
