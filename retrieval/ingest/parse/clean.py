"""Visible text, without hidden characters and in one Unicode form. Pure."""

import re
import unicodedata
from collections.abc import Iterator

# Zero-width and joining marks, soft hyphen, bidirectional controls, variation selectors, tags, byte order mark.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*")
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def clean(text: str) -> str:
    """Visible text with single spaces; a blank line separates paragraphs."""
    return collapsed(visible(text))


def visible(text: str) -> str:
    """Text in NFC without hidden characters. Control characters become spaces; spaces stay as they are."""
    shown = _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    printable = "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co") else " " for c in shown)
    return unicodedata.normalize("NFC", printable)


def collapsed(text: str) -> str:
    """Text with each run of spaces as one space, and each run of blank lines as one."""
    single = _SPACES.sub(" ", text)
    return _BLANK_LINES.sub("\n\n", "\n".join(line.strip() for line in single.split("\n"))).strip()


def paragraphs(text: str) -> Iterator[str]:
    """The parts between blank lines, as visible text with single spaces."""
    return filter(None, clean(text).split("\n\n"))


def code(text: str) -> Iterator[str]:
    """The parts between blank lines, with their indentation."""
    parts = (part.strip("\n").rstrip() for part in _EMPTY_LINES.split(visible(text)))
    return (part for part in parts if part.strip())
