"""The text of WordprocessingML (ECMA-376 part 1, chapter 17).

Elements are found by their local names, because strict and transitional documents differ in their namespaces only.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cached_property

from lxml import etree
from lxml.etree import _Element as Element

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.archive import local_name, read_xml
from retrieval.ingest.parse.clean import clean, paragraphs
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.table import Grid, Row, row_texts

# Deleted or moved text, and the second form of a drawing.
_SKIPPED = {"del", "moveFrom", "Fallback", "instrText", "delText", "annotationRef"}
_CHARACTERS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": " "}
_PAGE_FIELD = re.compile(r"\s*(PAGE|NUMPAGES|SECTIONPAGES)\b", re.IGNORECASE)
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_OFF = {"0", "false", "off"}


class Package:
    """The parts of a document, and its styles."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        main = next((target for kind, target in self._related("").values() if kind == "officeDocument"), None)
        if main is None:
            raise ValueError("it names no document part")
        self._main = main

    def read(self, part: str) -> Element:
        return read_xml(self._archive, part)

    @cached_property
    def body(self) -> Element:
        return self.read(self._main)

    @cached_property
    def parts(self) -> Mapping[str, tuple[str, str]]:
        """Relationship id → its type's last word, and the part."""
        return self._related(self._main)

    def of_kind(self, kind: str) -> list[Element]:
        """Every part of a kind, such as `footnotes`."""
        return [self.read(part) for part_kind, part in self.parts.values() if part_kind == kind]

    @cached_property
    def levels(self) -> Mapping[str, int]:
        """The heading level of each paragraph style that has one, by the style's id."""
        return {_get(style, "styleId"): level for style in self._styles.values() if (level := self._level(style))}

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Ids of styles for hidden text."""
        return frozenset(name for name, style in self._styles.items() if _is_on(_child(style, "rPr"), "vanish"))

    @cached_property
    def _styles(self) -> Mapping[str, Element]:
        return {_get(s, "styleId"): s for part in self.of_kind("styles") for s in part if local_name(s) == "style"}

    def _level(self, style: Element | None) -> int:
        """Its outline level, or the number in the name of a built-in heading, or that of the style it is based on."""
        for _ in range(20):  # a chain of styles may be a circle
            if style is None:
                return 0
            outline = _child(_child(style, "pPr"), "outlineLvl")
            named = _HEADING.fullmatch(_get(_child(style, "name"), "val"))
            if outline is not None and _get(outline, "val").isdigit():
                return int(_get(outline, "val")) + 1 if int(_get(outline, "val")) < 9 else 0
            if named:
                return int(named[1])
            style = self._styles.get(_get(_child(style, "basedOn"), "val"))
        return 0

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        folder, name = posixpath.split(part)
        try:
            listed = self.read(posixpath.join(folder, "_rels", f"{name}.rels"))
        except KeyError:
            return {}
        return {
            _get(item, "Id"): (
                _get(item, "Type").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, _get(item, "Target"))).lstrip("/"),
            )
            for item in listed
            if _get(item, "TargetMode") != "External"
        }


def blocks(package: Package) -> Iterator[Block]:
    """Headers and footers once, however many pages show them."""
    yield from _apart(package, "header")
    headings = Headings()
    for element in _flat(package.body):
        yield from _block(package, headings, element)
    yield from headings.end()
    for kind in ("footnotes", "endnotes", "footer"):
        yield from _apart(package, kind)


def _apart(package: Package, kind: str) -> Iterator[Block]:
    """The paragraphs of parts beside the body, each text once."""
    texts = (text for part in package.of_kind(kind) for p in part.iter("{*}p") for text in _texts(package, p))
    yield from (Block("", text) for text in dict.fromkeys(texts))


def _flat(parent: Element) -> Iterator[Element]:
    """Paragraphs and tables in order, also inside content controls and other wrappers."""
    for element in parent:
        if local_name(element) in ("p", "tbl"):
            yield element
        elif local_name(element) not in _SKIPPED:
            yield from _flat(element)


def _block(package: Package, headings: Headings, element: Element) -> Iterator[Block]:
    if local_name(element) == "tbl":
        yield from headings.over(row_texts(_rows(package, element)), rows=True)
    elif level := _heading_level(package, element):
        yield from headings.enter(level, " ".join(_texts(package, element)))
    else:
        yield from headings.over(_texts(package, element))


def _heading_level(package: Package, paragraph: Element) -> int:
    properties = _child(paragraph, "pPr")
    outline = _get(_child(properties, "outlineLvl"), "val")
    if outline.isdigit():
        return int(outline) + 1 if int(outline) < 9 else 0
    style = _get(_child(properties, "pStyle"), "val")
    # Without a style sheet only the id says it.
    named = re.fullmatch(r"Heading([1-9])", style)
    return package.levels.get(style, int(named[1]) if named else 0)


def _rows(package: Package, table: Element) -> list[Row]:
    grid, rows = Grid(), list[Row]()
    for line in table.iter("{*}tr"):
        if next(line.iterancestors("{*}tbl"), None) is not table:
            continue  # of a table inside a cell: that cell's text has it
        above = rows[-1].cells if rows else ()
        cells: list[tuple[str, int, int]] = []
        for cell in _within(line, "tc"):
            properties = _child(cell, "tcPr")
            across = _get(_child(properties, "gridSpan"), "val") or "1"
            merge, at = _child(properties, "vMerge"), sum(wide for _, wide, _ in cells)
            goes_on = merge is not None and _get(merge, "val") != "restart" and at < len(above)
            text = above[at] if goes_on else " ".join(_cell_texts(package, cell))
            cells.append((text, max(1, int(across) if across.isdigit() else 1), 1))
        rows.append(grid.row(cells, is_header=_is_on(_child(line, "trPr"), "tblHeader")))
    return rows


def _cell_texts(package: Package, cell: Element) -> Iterator[str]:
    for paragraph in cell.iter("{*}p"):
        yield from (text.replace("\n", " ") for text in _texts(package, paragraph))


def _texts(package: Package, paragraph: Element) -> Iterator[str]:
    """The visible text of a paragraph, and of text boxes anchored in it as texts of their own."""
    boxes: list[Element] = []
    text = "".join(_Reader(package, boxes).pieces(paragraph))
    yield from (part for part in paragraphs(text) if clean(part))
    for box in boxes:
        for inner in _flat(box):
            yield from _texts(package, inner) if local_name(inner) == "p" else row_texts(_rows(package, inner))


class _Reader:
    """Reads the runs of one paragraph. Fields keep their shown result, except page numbers."""

    def __init__(self, package: Package, boxes: list[Element]) -> None:
        self._package, self._boxes = package, boxes
        self._fields: list[str] = []  # the instructions of open complex fields, inner ones last

    def pieces(self, parent: Element) -> Iterator[str]:
        for element in parent:
            name = local_name(element)
            if name == "fldChar":
                self._field(_get(element, "fldCharType"))
            elif name == "instrText" and self._fields:
                self._fields[-1] += element.text or ""
            elif name == "txbxContent":
                self._boxes.append(element)
            elif name == "t":
                yield "" if self._is_number else element.text or ""
            elif name in _CHARACTERS:
                yield _CHARACTERS[name]
            elif name not in _SKIPPED and not self._is_unseen(element):
                yield from self.pieces(element)

    def _field(self, kind: str) -> None:
        if kind == "begin":
            self._fields.append("")
        elif kind == "end" and self._fields:
            self._fields.pop()

    @property
    def _is_number(self) -> bool:
        return any(_PAGE_FIELD.match(instruction) for instruction in self._fields)

    def _is_unseen(self, element: Element) -> bool:
        """Hidden runs, the properties of a paragraph, and simple fields with a page number."""
        name = local_name(element)
        if name == "fldSimple":
            return bool(_PAGE_FIELD.match(_get(element, "instr")))
        if name in ("pPr", "rPr"):
            return True
        style = _child(element, "rPr")
        by_style = _get(_child(style, "rStyle"), "val") in self._package.hidden
        return name == "r" and (_is_on(style, "vanish") or (by_style and _child(style, "vanish") is None))


def _within(parent: Element, name: str) -> Iterator[Element]:
    """Elements of this name below, not inside of one another; wrappers are looked through."""
    for element in parent:
        if local_name(element) == name:
            yield element
        elif local_name(element) not in _SKIPPED:
            yield from _within(element, name)


def _child(parent: Element | None, name: str) -> Element | None:
    return parent.find(f"{{*}}{name}") if parent is not None else None


def _get(element: Element | None, name: str) -> str:
    """An attribute, in whatever namespace; "" without one."""
    if element is None:
        return ""
    return next((value for key, value in element.attrib.items() if etree.QName(key).localname == name), "")


def _is_on(properties: Element | None, name: str) -> bool:
    child = _child(properties, name)
    return child is not None and _get(child, "val").lower() not in _OFF
