"""Reads comma-separated values, and those with other separators."""

import csv
import io
from collections.abc import Iterator

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.encoding import decoded
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.sheet import sheet_blocks

_SEPARATORS = ",;\t|"
_SAMPLE = 64 * 1024  # characters


def parse(content: bytes) -> Iterator[Block]:
    """A text for each row, with the names of its columns."""
    text = decoded(content)
    csv.field_size_limit(len(text) + 1)
    headings = Headings()
    rows = csv.reader(io.StringIO(text, newline=""), _dialect(text[:_SAMPLE]))
    yield from sheet_blocks(headings, rows, level=1, begins_with_names=True)
    yield from headings.end()


def _dialect(sample: str) -> type[csv.Dialect]:
    try:
        return csv.Sniffer().sniff(sample, _SEPARATORS)
    except csv.Error:  # one column, or rows of different lengths
        return csv.excel_tab if "\t" in sample else csv.excel
