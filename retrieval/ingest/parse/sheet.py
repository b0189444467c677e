"""Rows of a spreadsheet as text. Pure.

A sheet often holds several tables, one below the other: blank rows are between them, and a row with one cell above a
table is its title.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.clean import clean
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.table import MOST_COLUMNS, Row, row_texts

_NUMBER = re.compile(r"[^\w]*\d[\d.,'\u00a0 ]*[^\w]*\w{0,4}")  # with a sign, a unit or a currency


def sheet_blocks(
    headings: Headings, rows: Iterable[Sequence[str]], level: int, *, begins_with_names: bool = False
) -> Iterator[Block]:
    """The rows of each table with the names of its columns, under its title as a heading of `level`. If the sheet
    `begins_with_names`, as files of comma-separated values do, its first row names the columns."""
    cleaned = (tuple(clean(cell).replace("\n", " ") for cell in row[:MOST_COLUMNS]) for row in rows)
    for is_filled, group in groupby(cleaned, any):
        if is_filled:
            yield from _table(headings, list(group), level, begins_with_names)


def _table(headings: Headings, rows: list[tuple[str, ...]], level: int, names_first: bool) -> Iterator[Block]:
    titles = 0
    while titles < len(rows) and _filled(rows[titles]) == 1:
        titles += 1
    body = rows[titles:]
    if body:
        yield from headings.enter(level, "")  # the table above ends, and its title with it
    for row in rows[:titles]:
        text = next(filter(None, row))
        yield from headings.enter(level, text) if body else headings.over([text])
    is_named = _names_columns(body, names_first)
    table = [Row(row, is_named and not number, may_be_merged=False) for number, row in enumerate(body)]
    yield from headings.over(row_texts(table), rows=True)


def _filled(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _names_columns(rows: Sequence[Sequence[str]], names_first: bool) -> bool:
    """True if the first row has different words only, and is known to be one of names, or every row below has a number.
    Two rows of two cells may as well be two pairs of a name and a value."""
    if not rows:
        return False
    first, below = [cell for cell in rows[0] if cell], rows[1:]
    if not below or len(first) < 2 or len(set(first)) < len(first):
        return False
    if names_first:
        return not all(map(_is_number, first))
    has_numbers = len(first) + len(below) > 3 and all(any(map(_is_number, row)) for row in below)
    return has_numbers and not any(map(_is_number, first))


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell))
