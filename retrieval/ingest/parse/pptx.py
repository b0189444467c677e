"""Reads PowerPoint presentations (OOXML, ECMA-376): titles, texts, tables and notes of the slides that are shown."""

import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace

from lxml.etree import _Element as Element

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.archive import local_name, opened, read_xml
from retrieval.ingest.parse.clean import paragraphs
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.table import Grid, Row, row_texts

_MAIN = "ppt/presentation.xml"
_FOOTERS = {"sldNum", "ftr", "dt"}
_TITLES = {"title", "ctrTitle"}
_BREAKS = {"br": "\n", "tab": " "}


def parse(content: bytes) -> Iterator[Block]:
    with opened(content, ".pptx") as archive:
        targets = _targets(archive, _MAIN)
        lists = [each for each in read_xml(archive, _MAIN) if local_name(each) == "sldIdLst"]
        slides = (each for listed in lists for each in listed if local_name(each) == "sldId")
        headings = Headings()
        for number, slide in enumerate(slides, 1):
            blocks = _slide(archive, targets[_relation(slide)][1], headings)
            yield from (replace(block, page=number) for block in blocks)
        yield from headings.end()


def _slide(archive: zipfile.ZipFile, part: str, headings: Headings) -> Iterator[Block]:
    root = read_xml(archive, part)
    if root.get("show") == "0":
        return
    shapes = [each for each in _shown(root) if local_name(each) in ("sp", "tbl")]
    title = next((shape for shape in shapes if _placeholder(shape) in _TITLES), None)
    yield from headings.enter(1, _text(title) if title is not None else "")
    for shape in shapes:
        if local_name(shape) == "tbl":
            yield from headings.over(row_texts(list(_rows(shape))), rows=True)
        elif shape is not title:
            yield from headings.over(_texts(shape))
    for kind, notes in _targets(archive, part).values():
        if kind == "notesSlide":
            bodies = [each for each in read_xml(archive, notes).iter() if local_name(each) == "sp"]
            yield from headings.over(t for body in bodies if _placeholder(body) == "body" for t in _texts(body))


def _shown(element: Element) -> Iterator[Element]:
    """What is below an element, without hidden shapes, second forms of a shape, and footers."""
    for child in element:
        properties = next((each for each in child.iter() if local_name(each) == "cNvPr"), None)
        is_hidden = properties is not None and properties.get("hidden") in ("1", "true")
        is_shape = local_name(child) in ("sp", "graphicFrame", "grpSp")
        if local_name(child) == "Fallback" or (is_shape and (is_hidden or _placeholder(child) in _FOOTERS)):
            continue
        yield child
        yield from _shown(child)


def _rows(table: Element) -> Iterator[Row]:
    """Cells that a merged one covers are there, and empty."""
    grid = Grid()
    has_header = any(each.get("firstRow") in ("1", "true") for each in table if local_name(each) == "tblPr")
    for number, row in enumerate(each for each in table if local_name(each) == "tr"):
        cells = [each for each in row if local_name(each) == "tc"]
        covering = [each for each in cells if not {each.get("hMerge"), each.get("vMerge")} & {"1", "true"}]
        spans = [(_text(each), int(each.get("gridSpan", "1")), int(each.get("rowSpan", "1"))) for each in covering]
        yield grid.row(spans, is_header=has_header and number == 0)


def _texts(shape: Element) -> Iterator[str]:
    for paragraph in (each for each in shape.iter() if local_name(each) == "p"):
        yield from paragraphs(_text(paragraph))


def _text(element: Element) -> str:
    """The text of the paragraphs in it; each on a line."""
    if local_name(element) != "p":
        return "\n".join(_text(each) for each in element.iter() if local_name(each) == "p")
    return "".join((each.text or "") if local_name(each) == "t" else _BREAKS.get(local_name(each), "")
                   for each in element.iter())  # fmt: skip


def _placeholder(shape: Element) -> str:
    """The kind of a placeholder; "" for another shape."""
    return next((each.get("type", "body") for each in shape.iter() if local_name(each) == "ph"), "")


def _targets(archive: zipfile.ZipFile, part: str) -> Mapping[str, tuple[str, str]]:
    """Relationship id → its type's last word, and the part."""
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in archive.namelist():
        return {}
    return {
        str(each.get("Id")): (
            str(each.get("Type", "")).rpartition("/")[2],
            posixpath.normpath(posixpath.join(folder, str(each.get("Target", "")))).lstrip("/"),
        )
        for each in read_xml(archive, relations)
    }


def _relation(slide: Element) -> str:
    return next(str(value) for name, value in slide.attrib.items() if str(name).endswith("}id"))
