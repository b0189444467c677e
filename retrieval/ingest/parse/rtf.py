"""Reads Rich Text Format."""

import re
from collections.abc import Iterator, Sequence

from striprtf.striprtf import rtf_to_text

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.lines import line_blocks

# A control word, an escaped byte, another control symbol, a brace, or text.
_TOKEN = re.compile(r"\\([a-z]+)(-?\d+)? ?|\\'[0-9a-fA-F]{2}|\\[^a-z]|[{}]|[^\\{}]+")
_SHOWN_CONTROLS = frozenset({"par", "cell", "row", "line", "tab", "u"})
_CELL_END = "|"  # as the library writes it


def parse(content: bytes) -> Iterator[Block]:
    """Paragraphs, and table rows with the names of their columns."""
    if not content.lstrip().startswith(b"{\\rtf"):
        raise ValueError("it does not begin as RTF does")
    return line_blocks(_text(content).splitlines(), _cells)


def _cells(line: str) -> Sequence[str]:
    *cells, rest = line.rstrip().split(_CELL_END)
    return cells if len(cells) > 1 and not rest else ()


def _text(content: bytes) -> str:
    """Without hidden text, which the library does not tell apart."""
    shown = "".join(_without_hidden(content.decode("latin-1")))
    text: str = rtf_to_text(shown, errors="replace")  # type: ignore[no-untyped-call]
    return text


def _without_hidden(rtf: str) -> Iterator[str]:
    """Hidden is a property of a group, as bold is: `\\v` sets it, `\\v0` and `\\plain` end it, a brace restores it."""
    outer: list[bool] = []
    hidden = False
    for match in _TOKEN.finditer(rtf):
        token, word, number = match[0], match[1], match[2]
        if token == "{":
            outer.append(hidden)
        elif token == "}":
            hidden = outer.pop() if outer else False
        elif word == "v":
            hidden = number != "0"
        elif word == "plain":
            hidden = False
        elif hidden and (word is None or word in _SHOWN_CONTROLS):
            continue
        yield token
