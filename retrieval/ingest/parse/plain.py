"""Reads plain text: UTF-8 with or without a byte order mark, or UTF-16 with one."""

import codecs
import re
from collections.abc import Iterator

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.clean import clean, visible

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def parse(content: bytes) -> Iterator[Block]:
    return (Block("", text) for text in paragraphs(decoded(content)))


def decoded(content: bytes) -> str:
    """The text; `DocumentError` (Corrupt) names the first invalid byte."""
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"byte {error.start} is not {error.encoding.upper()} text: save it as UTF-8"
        raise DocumentError(reasons.CORRUPT, what) from error


def paragraphs(text: str) -> Iterator[str]:
    """The parts between blank lines, as visible text with single spaces."""
    return filter(None, clean(text).split("\n\n"))


def code(text: str) -> Iterator[str]:
    """The parts between blank lines, with their indentation."""
    parts = (part.strip("\n").rstrip() for part in _BLANK_LINES.split(visible(text)))
    return (part for part in parts if part.strip())
