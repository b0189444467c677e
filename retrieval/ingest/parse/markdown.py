"""Markdown: ATX headings lead their sections; HTML comments are not text; fenced code is kept as it is."""

import re
from collections.abc import Iterator

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.plain import decoded, paragraphs

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")


def parse(content: bytes) -> Iterator[Block]:
    """One block per paragraph; the address of a link or image is dropped, its text stays."""
    headings, section, fenced = Headings(), [], False
    for line in _COMMENT.sub("", decoded(content)).splitlines():
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            section.append(line)
            continue
        yield from _section(section, headings)
        headings.enter(len(heading[1]), _plain(heading[2]))
        section = []
    yield from _section(section, headings)


def _section(lines: list[str], headings: Headings) -> Iterator[Block]:
    text = "\n".join(_plain(line) for line in lines if not _FENCE.match(line))
    return paragraphs(text, heading=headings.path)


def _plain(line: str) -> str:
    return _EMPHASIS.sub(r"\2", _IMAGE_OR_LINK.sub(r"\1", line))
