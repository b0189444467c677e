"""Tables of a PDF page whose cells have ruling lines, as pdfplumber finds them. Their text is read by pdfium."""

import io
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pdfplumber
import pypdfium2 as pdfium
from pdfplumber.pdf import PDF
from pdfplumber.table import Table as FoundTable
from pypdfium2 import raw

from retrieval.ingest.parse.layout import Run, Table
from retrieval.ingest.parse.pdf_page import HYPHEN

_LEAST_RULES = 2  # in each direction
_MOST_PATHS = 3_000  # a page with more is a drawing
_MOST_CROSSINGS = 2_500  # of lines; chart paper has more, and takes a minute
_THIN = 3.0  # points
_LONG = 15.0
_SAME = 3.0  # points between lines that are one

Box = tuple[float, float, float, float]  # left, top, right, bottom; y grows downwards


@dataclass(frozen=True)
class RuledTable:
    """`place` stands for the table among the runs of the page."""

    place: Run
    table: Table

    def holds(self, run: Run) -> bool:
        x, y = (run.left + run.right) / 2, (run.top + run.bottom) / 2
        return self.place.left <= x <= self.place.right and self.place.top <= y <= self.place.bottom


class RuledTables:
    """pdfplumber needs a part of a second for a page, so it reads only pages with lines."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @cached_property
    def _document(self) -> PDF:
        return pdfplumber.open(io.BytesIO(self._content))

    def of(self, page: pdfium.PdfPage, index: int) -> list[RuledTable]:
        """Of two rows and two columns at least."""
        if not _has_rules(page):
            return []
        read = self._document.pages[index]
        found = read.find_tables()
        read.close()
        return _with_text(found, page)


def _with_text(found: Sequence[FoundTable], page: pdfium.PdfPage) -> list[RuledTable]:
    textpage, height = page.get_textpage(), page.get_height()
    made = (_ruled(table, textpage, height) for table in found if 0 < sum(table.bbox[1::2]) / 2 < height)
    return [table for table in made if len(table.table.rows) > 1 and len(table.table.rows[0]) > 1]


def _has_rules(page: pdfium.PdfPage) -> bool:
    """True for lines in both directions, as of a table, and for as many as a table has."""
    across, down = set[int](), set[int]()
    for count, path in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3)):
        if count > _MOST_PATHS:
            return False
        left, bottom, right, top = path.get_bounds()
        if right - left > _LONG:
            across |= {round(bottom), round(top)}
        if top - bottom > _THIN:
            down |= {round(left), round(right)}
    return min(len(across), len(down)) >= _LEAST_RULES and len(across) * len(down) <= _MOST_CROSSINGS


def _ruled(found: FoundTable, textpage: pdfium.PdfTextPage, height: float) -> RuledTable:
    left, top, right, bottom = found.bbox
    place = Run("", left, top, right, bottom, base=bottom, size=bottom - top)
    cells = [(cell, _text(textpage, cell, height)) for cell in found.cells]
    return RuledTable(place, Table(tuple(_rows(cells))))


def _text(textpage: pdfium.PdfTextPage, cell: Box, height: float) -> str:
    left, top, right, bottom = cell
    text = textpage.get_text_bounded(left, height - bottom, right, height - top)
    return " ".join(text.replace(HYPHEN, "-").split())


def _rows(cells: Sequence[tuple[Box, str]]) -> list[tuple[str, ...]]:
    """A merged cell is in each row and column that it covers."""
    tops = _edges(cell[1] for cell, _ in cells)
    lefts = _edges(cell[0] for cell, _ in cells)
    rows = [[""] * len(lefts) for _ in tops]
    for (left, top, right, bottom), text in cells:
        for row in rows[bisect_left(tops, top - _SAME) : bisect_left(tops, bottom - _SAME)]:
            for column in range(bisect_left(lefts, left - _SAME), bisect_left(lefts, right - _SAME)):
                row[column] = text
    return list(map(tuple, rows))


def _edges(values: Iterable[float]) -> list[float]:
    edges: list[float] = []
    for value in sorted(values):
        if not edges or value - edges[-1] > _SAME:
            edges.append(value)
    return edges
