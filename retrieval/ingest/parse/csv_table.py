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
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text[:_SAMPLE]))
    rows = (row for row in lines if any(row))  # a blank line is no end of a table here
    yield from sheet_blocks(headings, rows, level=1, begins_with_names=True)
    yield from headings.end()


def _separator(sample: str) -> str:
    try:
        return csv.Sniffer().sniff(sample, _SEPARATORS).delimiter
    except csv.Error:  # one column, or rows of different lengths
        return "\t" if "\t" in sample else ","
