"""Markdown: ATX headings lead their sections; HTML comments are not text; code is kept as it is.

Blocks are found line by line, then the marks inside each paragraph, as CommonMark does: so a comment or a link inside
code is code, and a fence inside a comment is a comment.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from itertools import groupby

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.clean import collapsed, visible
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.plain import decoded

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"\s*(?P<mark>`{3,}+(?=[^`]*$)|~{3,}+)")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_COMMENT, _COMMENT_END = "<!--", "-->"
_CODE_OR_COMMENT = re.compile(rf"(?<!`)`++|{_COMMENT}")
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_HELD = re.compile("\0([0-9]+)\0")  # the place of a stretch of code; a visible text has no NUL


class _Kind(Enum):
    PROSE = auto()
    HEADING = auto()
    CODE = auto()


def parse(content: bytes) -> Iterator[Block]:
    """One block per paragraph; the address of a link or image is dropped, its text stays. A heading that leads to
    nothing is a paragraph."""
    headings = Headings()
    alone: list[tuple[int, str]] = []  # the headings that nothing has followed yet, each deeper than the one before
    for kind, lines in groupby(_lines(visible(decoded(content))), key=lambda found: found[0]):
        held = [line for _, line in lines]
        if kind is _Kind.HEADING:
            for marks, title in (_HEADING.fullmatch(line).groups() for line in held):  # type: ignore[union-attr]
                level = len(marks)
                yield from (Block("", text) for above, text in alone if above >= level and text)
                alone = [item for item in alone if item[0] < level] + [(level, _shown(title))]
                headings.enter(level, _shown(title))
        else:
            shown = _shown if kind is _Kind.PROSE else str.rstrip
            parts = (shown(part) for part in _BLANK_LINES.split("\n".join(held)))
            for part in parts:
                if part.strip():
                    alone = []
                    yield Block(headings.path, part.strip("\n"))
    yield from (Block("", text) for _, text in alone if text)


def _lines(text: str) -> Iterator[tuple[_Kind, str]]:
    """Each line that is shown and what it belongs to; the marks of fences and what is commented out are left out."""
    fence, commented = "", False
    for line in text.split("\n"):
        if fence:
            if _closes(line, fence):
                fence = ""
            else:
                yield _Kind.CODE, line
            continue
        shown, commented = _uncommented(line, commented)
        if opening := _FENCE.match(shown):
            fence = opening["mark"]
        else:
            yield _Kind.HEADING if _HEADING.fullmatch(shown) else _Kind.PROSE, shown


def _closes(line: str, fence: str) -> bool:
    """A fence is closed by its own character, at least as often, and nothing else."""
    mark = line.strip()
    return len(mark) >= len(fence) and set(mark) == {fence[0]}


def _uncommented(line: str, commented: bool) -> tuple[str, bool]:
    """The line without the comments that it begins or ends with, and whether the next one begins in a comment."""
    while commented or line.lstrip().startswith(_COMMENT):
        _, closed, line = line.partition(_COMMENT_END)
        if not closed:
            return "", True
        commented = False
    return line, False


def _shown(paragraph: str) -> str:
    """The text without the marks of links and emphasis and without comments, but with code as it is."""
    held: list[str] = []
    marked = "".join(_marked(paragraph, held))
    plain = collapsed(_EMPHASIS.sub(r"\2", _IMAGE_OR_LINK.sub(r"\1", marked)))
    return _HELD.sub(lambda place: held[int(place[1])], plain)


def _marked(paragraph: str, held: list[str]) -> Iterator[str]:
    """The stretches of a paragraph, with a place in `held` for each stretch of code. What is not closed is text."""
    start = end = 0
    unclosed: set[str] = set()  # marks that are not looked for again, which would take square time
    while opening := _CODE_OR_COMMENT.search(paragraph, end):
        mark, end = opening[0], opening.end()
        closing = None if mark in unclosed else _closing(mark).search(paragraph, end)
        if closing is None:
            unclosed.add(mark)
            continue
        yield paragraph[start : opening.start()]
        if mark != _COMMENT:
            held.append(paragraph[end : closing.start()].strip())
            yield f"\0{len(held) - 1}\0"
        start = end = closing.end()
    yield paragraph[start:]


def _closing(mark: str) -> re.Pattern[str]:
    return re.compile(_COMMENT_END if mark == _COMMENT else f"(?<!`){mark}(?!`)")
