"""Reads OpenDocument texts (ISO/IEC 26300)."""

from collections.abc import Iterator

from lxml.etree import _Element as Element

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.archive import local_name, opened, read_xml
from retrieval.ingest.parse.clean import paragraphs
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.table import Grid, Row, row_texts

# Deleted text, comments, and what a reader does not see.
_SKIPPED = {"tracked-changes", "annotation", "hidden-text", "hidden-paragraph", "sequence-decls", "page-number"}
_CHARACTERS = {"tab": " ", "line-break": "\n", "s": " "}
_MOST_REPEATED = 100


def parse(content: bytes) -> Iterator[Block]:
    """Paragraphs, list items and table rows under their headings."""
    with opened(content, ".odt") as archive:
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise DocumentError(reasons.ENCRYPTED, "it has a password: save it without one")
        root = read_xml(archive, "content.xml")
    headings = Headings()
    body = next(each for each in root.iter() if local_name(each) == "body")
    yield from _blocks(body, headings)
    yield from headings.end()


def _blocks(parent: Element, headings: Headings) -> Iterator[Block]:
    for element in parent:
        match local_name(element):
            case name if name in _SKIPPED:
                continue
            case "h":
                yield from headings.enter(_number(element, "outline-level"), _text(element))
            case "p":
                yield from headings.over(paragraphs(_text(element)))
            case "table":
                yield from headings.over(row_texts(list(_rows(element))), rows=True)
            case _:
                yield from _blocks(element, headings)


def _rows(table: Element) -> Iterator[Row]:
    grid = Grid()
    for row in (each for each in table.iter() if local_name(each) == "table-row"):
        spans = [
            (_cell(cell), _number(cell, "number-columns-spanned"), _number(cell, "number-rows-spanned"))
            for cell in row
            if local_name(cell) == "table-cell"
            for _ in range(min(_number(cell, "number-columns-repeated"), _MOST_REPEATED))
        ]
        parent = row.getparent()
        yield grid.row(spans, is_header=parent is not None and local_name(parent) == "table-header-rows")


def _cell(cell: Element) -> str:
    return " ".join(_text(each) for each in cell.iter() if local_name(each) in ("p", "h"))


def _text(element: Element) -> str:
    """The text below an element, without footnotes' marks and hidden text."""
    parts = [element.text or ""]
    for child in element:
        name = local_name(child)
        if name not in _SKIPPED:
            parts.append(_CHARACTERS[name] if name in _CHARACTERS else _text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _number(element: Element, attribute: str) -> int:
    """The value of an attribute in any namespace; 1 without it."""
    found = (value for name, value in element.attrib.items() if str(name).endswith("}" + attribute))
    value = str(next(found, "1"))
    return int(value) if value.isdecimal() else 1
