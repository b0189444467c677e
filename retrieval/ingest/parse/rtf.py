"""Reads Rich Text Format."""

import re
from collections.abc import Iterator

from striprtf.striprtf import rtf_to_text

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.clean import clean, paragraphs
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.table import Row, row_texts

_HIDDEN = re.compile(r"\{\\v(?![a-z0-9])[^{}]*\}|\\v(?![a-z0-9])[^{}]*?\\v0 ?")
_CELL_END = "|"  # as the library writes it


def parse(content: bytes) -> Iterator[Block]:
    """Paragraphs, and table rows with the names of their columns."""
    if not content.lstrip().startswith(b"{\\rtf"):
        raise ValueError("it does not begin as RTF does")
    headings, rows = Headings(), list[Row]()
    for line in [*_text(content).splitlines(), ""]:
        cells = line.rstrip().split(_CELL_END)
        if len(cells) > 2 and not cells[-1]:
            rows.append(Row(tuple(map(clean, cells[:-1]))))
            continue
        yield from headings.over(row_texts(rows), rows=True)
        rows = []
        yield from headings.over(paragraphs(line))


def _text(content: bytes) -> str:
    """Without hidden text, which the library does not tell apart."""
    shown = _HIDDEN.sub("", content.decode("latin-1"))
    text: str = rtf_to_text(shown, errors="replace")  # type: ignore[no-untyped-call]
    return text
