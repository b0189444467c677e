"""Reads HTML: the visible text under its headings."""

import re
from collections.abc import Iterator

import lxml.html
from lxml.etree import ParserError, iterwalk
from lxml.html import HtmlElement

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.clean import clean, code, paragraphs
from retrieval.ingest.parse.encoding import decoded
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.table import Grid, Row, row_texts

_UNWANTED = {"script", "style", "template", "noscript", "iframe", "object", "svg", "head"}
_UNWANTED |= {"nav", "footer", "button", "input", "select", "textarea", "dialog"}
_UNWANTED_ROLES = {"navigation", "banner", "contentinfo", "complementary", "search", "dialog"}
_UNSEEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(opacity|font-size)\s*:\s*0(?![.\d])", re.IGNORECASE
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = {*_HEADINGS, "p", "li", "ul", "ol", "tr", "table", "pre", "blockquote", "dt", "dd", "caption", "figcaption"}
_BLOCKS |= {
    "div",
    "section",
    "article",
    "main",
    "header",
    "body",
    "html",
    "hr",
    "aside",
    "details",
    "summary",
    "address",
}
_SPACED = {"br": "\n", "td": " ", "th": " "}
_ROW = "row"
_LONGEST_CELL = 1_000  # characters; a longer one is a part of the page
_LONGEST_SPAN = 1_000
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{1,40})", re.IGNORECASE)


def parse(content: bytes) -> Iterator[Block]:
    """The text that a browser shows, without navigation; only the main part, if the page marks exactly one."""
    return shown_blocks(_text(content))


def shown_blocks(page: str) -> Iterator[Block]:
    """As `parse`, for a decoded page."""
    tree = _tree(page)
    for element in [element for element in tree.iter() if _unwanted(element)]:
        if element.getparent() is not None:
            element.drop_tree()
    main = tree.xpath("//main | //*[@role='main']")
    return _blocks(main[0] if len(main) == 1 else tree)


def blocks(page: str) -> Iterator[Block]:
    """The text of a page without hidden parts: each innermost block element under its headings, in order."""
    return _blocks(_tree(page))


def _blocks(tree: HtmlElement) -> Iterator[Block]:
    """A heading without text below becomes a paragraph."""
    headings = Headings()
    for kind, text in _runs(tree):
        if kind in _HEADINGS:
            yield from headings.enter(_HEADINGS[kind], text)
        elif kind == _ROW:
            yield from headings.over([text], rows=True)
        elif kind == "pre":
            yield from headings.over(code(text))
        else:
            yield from headings.over(paragraphs(text))
    yield from headings.end()


def _runs(tree: HtmlElement) -> Iterator[tuple[str, str]]:
    """The text between each two tags of block elements, with the kind of element that it is in."""
    kind, texts = "body", [""]
    walk = iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        begins = event == "start"
        if begins and element.tag == "table" and (rows := _rows(element)):
            yield kind, "".join(texts)
            yield from ((_ROW, text) for text in row_texts(rows))
            kind, texts = "body", [""]
            walk.skip_subtree()
            continue
        if element.tag in _BLOCKS:
            yield kind, "".join(texts)
            kind, texts = (element.tag if begins else "body"), [""]
        text = (element.text if begins else element.tail) or ""
        texts.append(text if kind == "pre" else " ".join(text.split("\n")))
        texts.append("" if begins else _SPACED.get(element.tag, ""))
    yield kind, "".join(texts)


def _rows(table: HtmlElement) -> list[Row]:
    """The rows of a table of data, its caption first. Empty for a table that only arranges parts of the page."""
    if table.xpath(".//table | .//h1 | .//h2 | .//h3 | .//h4 | .//h5 | .//h6 | .//pre"):
        return []
    grid, rows = Grid(), list[Row]()
    for line in table.iter("tr"):
        cells = [cell for cell in line if cell.tag in ("td", "th")]
        texts = [(_cell_text(cell), _span(cell, "colspan"), _span(cell, "rowspan")) for cell in cells]
        marked = all(cell.tag == "th" for cell in cells) or line.getparent().tag == "thead"
        rows.append(grid.row(texts, is_header=marked))
    is_data = len(rows) > 1 and max(len(row.cells) for row in rows) > 1
    longest = max((len(text) for row in rows for text in row.cells), default=0)
    captions = [Row((_cell_text(caption),)) for caption in table.iter("caption")]
    return [*captions, *rows] if is_data and longest <= _LONGEST_CELL else []


def _cell_text(cell: HtmlElement) -> str:
    return clean(" ".join(text for _, text in _runs(cell))).replace("\n", " ")


def _span(cell: HtmlElement, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(int(value), _LONGEST_SPAN) if value.isascii() and value.isdigit() and int(value) else 1


def _is_menu(aside: HtmlElement) -> bool:
    """True if most of its text is links, as beside an article; a note to the reader is not."""
    linked = sum(len(link.text_content()) for link in aside.iter("a"))
    return aside.get("role") == "complementary" or 2 * linked >= len(aside.text_content().strip())


def _unwanted(element: HtmlElement) -> bool:
    """True if an element is not shown, or repeated on every page. The tag of a comment is a function in lxml."""
    if not isinstance(element.tag, str) or element.tag in _UNWANTED or element.get("role") in _UNWANTED_ROLES:
        return True
    if element.tag == "aside" and _is_menu(element):
        return True
    unseen = "hidden" in element.attrib or element.get("aria-hidden") == "true"
    return unseen or bool(_UNSEEN_STYLE.search(element.get("style", "")))


def _text(content: bytes) -> str:
    declared = _CHARSET.search(content[:4_096])
    return decoded(content, declared[1].decode() if declared else "")


def _tree(page: str) -> HtmlElement:
    # The page is decoded already, so its declaration is ignored. `huge_tree`: the fence limits memory instead.
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        tree = lxml.html.document_fromstring(page.encode(), parser=parser)
    except ParserError as error:
        raise DocumentError(reasons.EMPTY, "the page holds no element: add text or remove it") from error
    if parser.error_log.filter_from_fatals():
        message = parser.error_log.filter_from_fatals()[0].message
        raise DocumentError(
            reasons.CORRUPT, f"the parser stopped before its end ({message}): nest its elements less deeply"
        )
    return tree
