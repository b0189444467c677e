"""Reads the text layer of a PDF: headings, paragraphs and tables of each page, in reading order."""

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace

import pypdfium2 as pdfium

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse import pdf_page
from retrieval.ingest.parse.clean import clean
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.hyphens import unbroken, words
from retrieval.ingest.parse.layout import Line, Paragraph, Run, Table, columns, lines, parts
from retrieval.ingest.parse.ocr import with_text_layer
from retrieval.ingest.parse.pdf_tables import RuledTable, RuledTables
from retrieval.ingest.parse.pdf_upright import upright
from retrieval.ingest.parse.table import Row, row_texts

_TOP, _BOTTOM = 0.1, 0.18  # of a page's height, where running heads and page numbers are
_REPEATED = 0.6  # of the pages, for a running head
_LARGER = 1.12  # than the text, for a heading
_LONGEST_HEADING = 120  # characters
_BOLD_LEVEL = 99  # of bold headings in the size of the text
_DIGITS = re.compile(r"\d{1,9}")
_MOST_NUMBERS = 3  # of a running head, such as "3 of 12"

_Place = tuple[str, int]  # a text, and its height in percent of the page's


@dataclass(frozen=True)
class _Page:
    """`tables` are those with ruling lines; their text is in no run. `heads` are those of the page that no
    page before has."""

    number: int
    height: float
    runs: tuple[Run, ...]
    tables: tuple[RuledTable, ...]
    heads: tuple[Run, ...] = ()


@dataclass(frozen=True)
class _Letters:
    """The most frequent letters of a document, and the sizes of all, the largest first."""

    size: float
    is_bold: bool
    sizes: tuple[float, ...]

    def level(self, line: Line) -> int | None:
        """Of a heading, None for other text."""
        if line.size >= _LARGER * self.size:
            return self.sizes.index(round(line.size)) + 1
        return _BOLD_LEVEL if line.is_bold and not self.is_bold else None


def convert(content: bytes, languages: str) -> bytes:
    """With the text of scanned pages, if there are languages to read them in."""
    return with_text_layer(content, languages) if languages else content


def parse(content: bytes) -> Iterator[Block]:
    """Blocks with their pages. A scan has no text layer, so it has no blocks."""
    pages = _pages(content)
    letters = _letters(run for page in pages for run in page.runs)
    pages = _without_running_heads(pages, letters.size)
    document_words = words("\n".join(run.text.replace(pdf_page.HYPHEN, "-") for page in pages for run in page.runs))
    headings = Headings()
    for page in pages:
        for part in _parts(page):
            blocks = _blocks(part, headings, letters, document_words)
            yield from (replace(block, page=page.number) for block in blocks)
    yield from headings.end()


def _pages(content: bytes) -> list[_Page]:
    with pdf_page.opened(content) as document:
        turned = upright(document)
        if turned is None:
            return _read(document, content)
    with pdf_page.opened(turned) as document:
        return _read(document, turned)


def _read(document: pdfium.PdfDocument, content: bytes) -> list[_Page]:
    tables = RuledTables(content)
    return [_page(document[index], index, tables) for index in range(len(document))]


def _page(page: pdfium.PdfPage, index: int, ruled: RuledTables) -> _Page:
    tables = tuple(ruled.of(page, index))
    runs = (run for run in pdf_page.runs(page) if not any(table.holds(run) for table in tables))
    return _Page(index + 1, page.get_height(), tuple(runs), tables)


def _without_running_heads(pages: list[_Page], size: float) -> list[_Page]:
    """Each line at the top or bottom that most pages have, but for the page's number, stays on the first of them alone:
    nothing is lost of what it says. Larger letters than the text's are those of headings."""
    marginal = [[(run, _places(page, run)) for run in page.runs if _is_marginal(page, run, size)] for page in pages]
    seen = Counter(place for runs in marginal for place in {place for _, places in runs for place in places})
    least = max(3, _REPEATED * len(pages))
    repeated = {place for place, count in seen.items() if count >= least}
    kept: set[_Place] = set()
    for number, (page, runs) in enumerate(zip(pages, marginal, strict=True)):
        found = {run: places for run, each in runs if (places := repeated.intersection(each))}
        heads = tuple(run for run, places in found.items() if not places & kept)
        kept |= {place for places in found.values() for place in places}
        pages[number] = replace(page, runs=tuple(run for run in page.runs if run not in found), heads=heads)
    return pages


def _is_marginal(page: _Page, run: Run, size: float) -> bool:
    if run.size >= _LARGER * size:
        return False
    return run.bottom < _TOP * page.height or run.top > (1 - _BOTTOM) * page.height


def _places(page: _Page, run: Run) -> set[_Place]:
    """Where it stands, with its text; and with each of its numbers as its distance from the page's number."""
    height, numbers = round(run.top / page.height * 100), list(_DIGITS.finditer(run.text))
    places = {(run.text, height)}
    for match in numbers if len(numbers) <= _MOST_NUMBERS else ():
        distance = int(match[0]) - page.number
        places.add((f"{run.text[: match.start()]}#{distance}{run.text[match.end() :]}", height))
    return places


def _letters(runs: Iterator[Run]) -> _Letters:
    """Sizes are counted by their letters."""
    sizes: Counter[tuple[int, bool]] = Counter()
    for run in runs:
        sizes[round(run.size), run.is_bold] += len(run.text)
    if not sizes:
        return _Letters(0, False, ())
    (size, is_bold), _ = sizes.most_common(1)[0]
    return _Letters(size, is_bold, tuple(sorted({each for each, _ in sizes}, reverse=True)))


def _parts(page: _Page) -> Iterator[Paragraph | Table]:
    """In reading order. A table with lines takes the place of its text."""
    tables = {table.place: table.table for table in page.tables}
    for column in columns(page.runs, list(tables)):
        text = [run for run in column if run not in tables]
        for place in sorted((run for run in column if run in tables), key=lambda run: run.top):
            yield from parts(lines([run for run in text if run.base <= place.top]))
            yield tables[place]
            text = [run for run in text if run.base > place.top]
        yield from parts(lines(text))
    yield from (Paragraph((line,)) for line in lines(page.heads))


def _blocks(
    part: Paragraph | Table, headings: Headings, letters: _Letters, document_words: Set[str]
) -> Iterator[Block]:
    if isinstance(part, Table):
        rows = [Row(tuple(map(clean, row)), may_be_merged=False) for row in part.rows]
        yield from headings.over(row_texts(rows), rows=True)
        return
    text = clean(_text(part, document_words))
    level = letters.level(part.lines[0])
    if level is not None and len(part.lines) <= 2 and _may_be_heading(text):
        yield from headings.enter(level, text)
    elif text:
        yield from headings.over([text])


def _may_be_heading(text: str) -> bool:
    return len(text) <= _LONGEST_HEADING and not text.endswith((".", ",", ";")) and pdf_page.LEADER not in text


def _text(paragraph: Paragraph, document_words: Set[str]) -> str:
    """One line; words broken at the end of a line are joined."""
    text = "\n".join(line.text for line in paragraph.lines)
    return unbroken(text.replace(pdf_page.HYPHEN, "-"), document_words).replace("\n", " ")
