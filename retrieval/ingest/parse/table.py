"""Tables as text. Pure.

Each row becomes one text with the header of every cell, because a value without its row and its column is
misread: "Plan: Pro; Seats: 10; Refund window: 30 days".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

MOST_COLUMNS = 100  # a wider table is read up to here


@dataclass(frozen=True)
class Row:
    """One text for each column; merged cells are repeated. `is_header` if the document marks it as one. Equal cells
    are one merged cell, unless the format has none."""

    cells: tuple[str, ...]
    is_header: bool = False
    may_be_merged: bool = True


def row_texts(rows: Sequence[Row]) -> Iterator[str]:
    """A text for each row below the header; without a header, the cells of each row."""
    rows = [row for row in rows if any(row.cells)]
    top = list(takewhile(lambda row: row.is_header, rows)) or ([rows[0]] if _starts_with_header(rows) else [])
    body = rows[len(top) :]
    if not body:
        yield from (" | ".join(filter(None, dict.fromkeys(row.cells))) for row in top)
        return
    names = _names(top, max(len(row.cells) for row in rows))
    yield from (_text(names, row) for row in body)


def _starts_with_header(rows: Sequence[Row]) -> bool:
    """True if an unmarked first row names the columns: three or more, each with a name without digits. Two columns are
    as often pairs of a name and a value."""
    return len(rows) > 1 and len(rows[0].cells) > 2 and all(map(_is_name, rows[0].cells))


def _is_name(text: str) -> bool:
    return bool(text) and not any(map(str.isdigit, text))


def _names(top: Sequence[Row], width: int) -> list[str]:
    """The name of each column, from all header rows; merged header cells are written once."""
    columns = [[row.cells[at] for row in top if at < len(row.cells)] for at in range(width)]
    return [" ".join(filter(None, dict.fromkeys(column))) for column in columns]


def _text(names: Sequence[str], row: Row) -> str:
    cells = row.cells
    if len(set(cells)) == 1 and row.may_be_merged:  # one merged cell: a heading inside the table
        return cells[0]
    pairs = [f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=False) if cell]
    return ("; " if any(names) else " | ").join(pairs)


class Grid:
    """Places cells that span rows and columns."""

    def __init__(self) -> None:
        self._below: dict[int, tuple[int, str]] = {}  # column → rows still covered from above, and the text

    def row(self, cells: Sequence[tuple[str, int, int]], *, is_header: bool) -> Row:
        """Each cell is its text, and the columns and rows that it spans, at least 1."""
        texts: list[str] = []
        for text, across, down in cells:
            self._fill(texts)
            for _ in range(min(across, MOST_COLUMNS - len(texts))):
                if down > 1:
                    self._below[len(texts)] = (down - 1, text)
                texts.append(text)
        self._fill(texts)
        return Row(tuple(texts), is_header)

    def _fill(self, texts: list[str]) -> None:
        """Adds the cells that reach down into this row."""
        while (column := len(texts)) in self._below and column < MOST_COLUMNS:
            left, text = self._below.pop(column)
            if left > 1:
                self._below[column] = (left - 1, text)
            texts.append(text)
