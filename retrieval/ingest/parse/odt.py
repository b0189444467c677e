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

# Deleted text, comments, hidden text; notes are read after their paragraph.
_SKIPPED = {"tracked-changes", "annotation", "hidden-text", "hidden-paragraph", "sequence-decls", "page-number", "note"}
_CHARACTERS = {"tab": " ", "line-break": "\n", "s": " "}
_MOST_REPEATED = 100


def parse(content: bytes) -> Iterator[Block]:
    """Paragraphs, list items and table rows under their headings."""
    with opened(content, ".odt") as archive:
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise DocumentError(reasons.ENCRYPTED, "it has a password: save it without one")
        root = read_xml(archive, "content.xml")
    _drop_hidden(root)
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
                yield from _notes(element, headings)
            case "table":
                yield from headings.over(row_texts(list(_rows(element))), rows=True)
            case _:
                yield from _blocks(element, headings)


def _rows(table: Element) -> Iterator[Row]:
    grid = Grid()
    for row in _rows_of(table):
        spans = [
            (_cell(cell), _number(cell, "number-columns-spanned"), _number(cell, "number-rows-spanned"))
            for cell in row
            if local_name(cell) == "table-cell"
            for _ in range(min(_number(cell, "number-columns-repeated"), _MOST_REPEATED))
        ]
        parent = row.getparent()
        yield grid.row(spans, is_header=parent is not None and local_name(parent) == "table-header-rows")


def _rows_of(table: Element) -> Iterator[Element]:
    """Without those of tables in its cells."""
    for child in table:
        if local_name(child) == "table-row":
            yield child
        elif local_name(child) in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows_of(child)


def _notes(paragraph: Element, headings: Headings) -> Iterator[Block]:
    for note in (each for each in paragraph.iter() if local_name(each) == "note-body"):
        yield from _blocks(note, headings)


def _cell(cell: Element) -> str:
    """The text of its paragraphs and lists; a table in a cell is left out."""
    parts = []
    for child in cell:
        if local_name(child) in ("p", "h"):
            parts.append(_text(child))
        elif local_name(child) not in {*_SKIPPED, "table"}:
            parts.append(_cell(child))
    return " ".join(filter(None, parts))


def _drop_hidden(root: Element) -> None:
    """Text of styles and sections that are not displayed."""
    properties = [
        each for each in root.iter() if local_name(each) == "text-properties" and _has(each, "display", "none")
    ]
    parents = [parent for each in properties if (parent := each.getparent()) is not None]
    styles = {str(value) for each in parents for name, value in each.attrib.items() if str(name).endswith("}name")}
    for element in list(root.iter()):
        is_hidden = any(_has(element, "style-name", style) for style in styles)
        if is_hidden or (local_name(element) == "section" and _has(element, "display", "none")):
            for child in list(element):
                element.remove(child)
            element.text = ""


def _has(element: Element, attribute: str, value: str) -> bool:
    return any(str(name).endswith("}" + attribute) and text == value for name, text in element.attrib.items())


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
    values = (value for name, value in element.attrib.items() if str(name).endswith("}" + attribute))
    value = str(next(values, "1"))
    return int(value) if value.isdecimal() else 1
