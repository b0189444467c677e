"""The reading order of text on a page: columns, lines, paragraphs, rows of tables. Pure.

Lengths are in points. y grows downwards.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

_MOST_COLUMNS = 4
_MOST_GUTTERS = 8  # tried on a page, the most frequent left edges first
_LEAST_LINES = 3  # of a column
_LEAST_LETTERS = 12  # of its lines, on average: bullets are no column
_LEAST_FILL = 0.55  # of a column's width by its lines: cells of a table are narrower
_SAME_LINE = 0.6  # of the letters' size, between base lines
_WIDE_GAP = 1.0  # of the letters' size, between two cells
_NEW_PARAGRAPH = 1.3  # times the usual distance of lines
_SPACE = 0.15  # of the letters' size, between words
_DOUBLE = 2.5  # times the letters' size
_OTHER_SIZE = 0.15  # of the letters' size, for another paragraph; text recognition varies
_INDENT = 0.8  # of the letters' size
_ROWS_ABOVE = 20  # whose cells a wrapped one may continue
_BULLETS = ("•", "▪", "●", "○", "◦", "■", "□", "\u2013", "‣", "·", "※")
_NUMBER = re.compile(r"\(?(\d{1,3}|[A-Za-z])[.)]")


@dataclass(frozen=True)
class Run:
    """Letters of one size on one line, without a wide gap. They stand on the `base` line."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    size: float
    is_bold: bool = False

    @property
    def width(self) -> float:
        return self.right - self.left


@dataclass(frozen=True)
class Line:
    """Runs from left to right: one, or several with wide gaps between."""

    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        return " ".join(run.text for run in self.runs)

    @property
    def top(self) -> float:
        return min(run.top for run in self.runs)

    @property
    def left(self) -> float:
        return self.runs[0].left

    @property
    def size(self) -> float:
        return self._longest.size

    @property
    def is_bold(self) -> bool:
        return self._longest.is_bold

    @property
    def _longest(self) -> Run:
        return max(self.runs, key=lambda run: len(run.text))


@dataclass(frozen=True)
class Paragraph:
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells; a cell without text is empty."""

    rows: tuple[tuple[str, ...], ...]


def columns(runs: Sequence[Run], places: Sequence[Run] = ()) -> Iterator[list[Run]]:
    """Parts of a page in reading order, each of one column. What crosses a gutter, such as a title, is a part too.
    `places` of tables stay as they are; runs of one line without a wide gap become one."""
    yield from _columns([*places, *(run for line in lines(runs) for run in line.runs)], _MOST_COLUMNS)


def _columns(runs: Sequence[Run], most: int) -> Iterator[list[Run]]:
    """`runs` are joined: a word in bold is none of its own."""
    gutter = _gutter(runs, most)
    if gutter is None:
        yield list(runs)
        return
    for band in _bands(runs, gutter):
        if _has_columns(band, gutter, most):
            left, right = _sides(band, gutter)
            yield from _columns(left, most - 1)
            yield from _columns(right, most - 1)
        else:
            yield band


def _gutter(runs: Sequence[Run], most: int) -> float | None:
    """The left edge of the right column that divides the most text, None for a part of one column."""
    if most < 2 or len(runs) < 2 * _LEAST_LINES:
        return None
    edges = Counter(round(run.left) for run in runs)
    leftmost = min(edges)
    frequent = [
        edge for edge, count in edges.most_common(_MOST_GUTTERS) if count >= _LEAST_LINES and edge > leftmost + 20
    ]
    divided = {edge: _divided(runs, edge - 1.5, most) for edge in frequent}
    best = max(divided, key=lambda edge: divided[edge], default=0)
    return best - 1.5 if divided.get(best) else None


def _divided(runs: Sequence[Run], gutter: float, most: int) -> int:
    """Letters in columns beside the gutter."""
    bands = (band for band in _bands(runs, gutter) if _has_columns(band, gutter, most))
    return sum(len(run.text) for band in bands for run in band)


def _bands(runs: Sequence[Run], gutter: float) -> Iterator[list[Run]]:
    """Consecutive runs from top to bottom that all cross the gutter, or that all do not."""
    band: list[Run] = []
    for run in sorted(runs, key=lambda run: run.top):
        if band and _crosses(band[-1], gutter) != _crosses(run, gutter):
            yield band
            band = []
        band.append(run)
    if band:
        yield band


def _crosses(run: Run, gutter: float) -> bool:
    return run.left < gutter < run.right


def _sides(band: Sequence[Run], gutter: float) -> tuple[list[Run], list[Run]]:
    left = [run for run in band if run.left < gutter]
    return left, [run for run in band if run.left >= gutter]


def _has_columns(band: Sequence[Run], gutter: float, most: int) -> bool:
    """True if each side is a column, or several."""
    if _crosses(band[0], gutter):
        return False
    return all(_is_column(side) or _gutter(side, most - 1) is not None for side in _sides(band, gutter))


def _is_column(runs: Sequence[Run]) -> bool:
    """True for lines of prose, which fill their width."""
    if len(runs) < _LEAST_LINES or sum(len(run.text) for run in runs) < _LEAST_LETTERS * len(runs):
        return False
    width = max(run.right for run in runs) - min(run.left for run in runs)
    return sum(run.width for run in runs) / len(runs) >= _LEAST_FILL * width


def lines(runs: Sequence[Run]) -> list[Line]:
    """From top to bottom. Letters of a line stand on one base line, but for raised ones."""
    found: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: run.base):
        if found and run.base - found[-1][0].base < _SAME_LINE * run.size:
            found[-1].append(run)
        else:
            found.append([run])
    return [_line(each) for each in found]


def _line(runs: Sequence[Run]) -> Line:
    """In reading order. Joins runs without a wide gap between, such as a word in bold, and a bullet with its text."""
    is_leftward = sum(map(is_leftward_text, (run.text for run in runs))) * 2 > len(runs)
    ordered = sorted(runs, key=lambda run: -run.right if is_leftward else run.left)
    joined = [ordered[0]]
    for run in ordered[1:]:
        before = joined[-1]
        gap = before.left - run.right if is_leftward else run.left - before.right
        if gap > _WIDE_GAP * max(run.size, before.size) and not _is_mark(before.text):
            joined.append(run)
        else:
            joined[-1] = _joined(before, run, " " if gap > _SPACE * run.size else "")
    return Line(tuple(joined))


def _joined(one: Run, other: Run, space: str) -> Run:
    """With the letters of the longer one."""
    longer = max(one, other, key=lambda run: len(run.text))
    return replace(
        longer, text=f"{one.text}{space}{other.text}", left=min(one.left, other.left), top=min(one.top, other.top),
        right=max(one.right, other.right), bottom=max(one.bottom, other.bottom), base=one.base,
    )  # fmt: skip


def is_leftward_text(text: str) -> bool:
    """True for Hebrew, Arabic and other scripts from right to left."""
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)


def _is_mark(text: str) -> bool:
    """True for a bullet or a number before an item of a list."""
    return text in _BULLETS or _NUMBER.fullmatch(text) is not None


def parts(column: Sequence[Line]) -> Iterator[Paragraph | Table]:
    """Paragraphs, and tables of consecutive lines with several cells."""
    distance = _usual_distance(column)
    pending: list[Line] = []
    at = 0
    while at < len(column):
        end = _table_end(column, at, distance)
        if end - at >= 2:
            yield from _flushed(pending, distance)
            pending = []
            yield Table(_rows(column[at:end], distance))
            at = end
        else:
            pending.append(column[at])
            at += 1
    yield from _flushed(pending, distance)


def _table_end(column: Sequence[Line], at: int, distance: float) -> int:
    """The end of the table that begins at a line. A line of one cell belongs to it between others, if it continues a
    cell of the row above."""
    if len(column[at].runs) < 2:
        return at
    end = at + 1
    while end < len(column):
        line = column[end]
        if len(line.runs) < 2 and not _continues(column[at:end], line, distance):
            break
        end += 1
    return end


def _continues(above: Sequence[Line], line: Line, distance: float) -> bool:
    """True for a wrapped cell: it begins where a later cell of the table does, close under the row above."""
    starts = {round(run.left) for row in above[-_ROWS_ABOVE:] for run in row.runs[1:]}
    is_close = line.top - above[-1].top <= _NEW_PARAGRAPH * distance
    return is_close and any(abs(line.left - start) <= 3 for start in starts)


def _rows(table: Sequence[Line], distance: float) -> tuple[tuple[str, ...], ...]:
    spans = _spans(table)
    rows: list[list[str]] = []
    for line, above in zip(table, (None, *table), strict=False):
        cells = [""] * len(spans)
        for run in line.runs:
            at = max(range(len(spans)), key=lambda index: _overlap(run, spans[index]))
            cells[at] = f"{cells[at]} {run.text}".strip()
        is_wrapped = above is not None and not cells[0] and line.top - above.top <= _NEW_PARAGRAPH * distance
        if is_wrapped:
            rows[-1] = [f"{old} {new}".strip() for old, new in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    return tuple(map(tuple, rows))


def _spans(table: Sequence[Line]) -> list[tuple[float, float]]:
    """Each column from left to right, by the rows with the most cells."""
    most = max(len(line.runs) for line in table)
    full = [line.runs for line in table if len(line.runs) == most]
    return [(min(runs[at].left for runs in full), max(runs[at].right for runs in full)) for at in range(most)]


def _overlap(run: Run, span: tuple[float, float]) -> float:
    """Of a cell with a column; negative: the distance between them."""
    return min(run.right, span[1]) - max(run.left, span[0])


def _flushed(column: Sequence[Line], distance: float) -> Iterator[Paragraph]:
    begun: list[Line] = []
    for line in column:
        if begun and _begins(line, begun, distance):
            yield Paragraph(tuple(begun))
            begun = []
        begun.append(line)
    if begun:
        yield Paragraph(tuple(begun))


def _begins(line: Line, before: Sequence[Line], distance: float) -> bool:
    """True if a line begins a paragraph: after a gap, indented, with a bullet, or in other letters."""
    last = before[-1]
    return (
        line.top - last.top > _NEW_PARAGRAPH * max(distance, line.size)
        or abs(line.size - last.size) > _OTHER_SIZE * last.size
        or line.is_bold != last.is_bold
        or len(line.runs) > 1
        or len(last.runs) > 1
        or _is_mark(line.text.partition(" ")[0])
        or (line.left - last.left > _INDENT * line.size and not _hangs(before))
    )


def _hangs(paragraph: Sequence[Line]) -> bool:
    """True for an item of a list, whose later lines are indented."""
    return len(paragraph) == 1 and _is_mark(paragraph[0].text.partition(" ")[0])


def _usual_distance(column: Sequence[Line]) -> float:
    """At most that of double spacing: few lines far apart are paragraphs of their own."""
    distances = [two.top - one.top for one, two in pairwise(column)]
    return min(median(distances), _DOUBLE * median(line.size for line in column)) if distances else 0.0
