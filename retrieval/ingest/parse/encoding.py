"""Decodes text in the encodings that people have: UTF-8, UTF-16, and those of older systems."""

import codecs
import unicodedata

import chardet

from retrieval.errors import DocumentError
from retrieval.ingest import reasons

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE = 65_536  # bytes; enough for every guess
# Right guesses for a few words have 0.02 and more, guesses for noise less than 0.003.
_LEAST_CONFIDENCE = 0.01
_MOST_ZEROS = 0.2  # share of zero bytes; more means UTF-16 without a mark, as Latin text has nearly half


def decoded(content: bytes, declared: str = "") -> str:
    """The text. Tried in order: byte order mark, zero bytes (UTF-16), UTF-8, `declared`, a guess.

    Raises `DocumentError` (Corrupt), which names the first byte that is not UTF-8 and the suspected encoding.
    """
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    if mark:
        return _strictly(content, _MARKS[mark])
    if utf16 := _utf16(content):
        return _strictly(content, utf16)
    for encoding in filter(None, ("utf-8", declared)):
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return _guessed(content)


def _utf16(content: bytes) -> str:
    """The byte order, if the zero bytes are those of UTF-16: many, and nearly all in one half of each character."""
    first, second = content[:_SAMPLE:2].count(0), content[1:_SAMPLE:2].count(0)
    fewer, more = sorted((first, second))
    if len(content) % 2 or more < _MOST_ZEROS * min(len(content), _SAMPLE) or fewer > more / 10:
        return ""
    return "utf-16-be" if first > second else "utf-16-le"


def _guessed(content: bytes) -> str:
    detected = chardet.detect(content[:_SAMPLE])
    guess = detected["encoding"]
    if guess is None or detected["confidence"] < _LEAST_CONFIDENCE:
        raise _unreadable(content, guess or "no known encoding")
    text = _strictly(content, guess)
    if any(unicodedata.category(character) == "Cc" and character not in "\t\n\r\f" for character in text):
        raise _unreadable(content, guess)
    return text


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise _unreadable(content, encoding) from error


def _unreadable(content: bytes, suspected: str) -> DocumentError:
    try:
        content.decode("utf-8")
        fact = "its bytes are no text"
    except UnicodeDecodeError as error:
        fact = f"byte {error.start} is not UTF-8 text"
    return DocumentError(reasons.CORRUPT, f"{fact} (suspected: {suspected}): save it as UTF-8")
