"""Spreadsheets, presentations, OpenDocument and RTF: what a reader sees, and what a hostile file can do."""

import datetime
import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from retrieval.errors import DocumentError
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.parsers import Parsers
from retrieval.ingest.parse.run import parse
from retrieval.ingest.parse.xlsx import shown
from tests.debian import program
from tests.retrieval.ingest.files import docx
from tests.retrieval.ingest.test_parse import LIMITS

_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def read(name: str, content: bytes) -> list[tuple[str, str]]:
    return [(block.heading, block.text) for block in parse(name, content, LIMITS)]


def zipped(parts: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]], *, hidden: str = "") -> bytes:
    workbook = Workbook()
    workbook.remove(workbook.active)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if title == hidden else "visible"
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def pptx(slides: Sequence[str], notes: Mapping[int, str] | None = None) -> bytes:
    """Slides by the XML of their shapes."""
    notes = notes or {}
    names = f'xmlns:a="{_A}" xmlns:p="{_P}" xmlns:r="{_R}"'
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="rId{n}"/>' for n in range(len(slides)))
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{_R}/slide" Target="slides/slide{n}.xml"/>' for n in range(len(slides))
    )
    parts = {
        "ppt/presentation.xml": f"<p:presentation {names}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{relations}</Relationships>',
    }
    for number, slide in enumerate(slides):
        show = ' show="0"' if slide.startswith("HIDDEN") else ""
        shapes = slide.removeprefix("HIDDEN")
        parts[f"ppt/slides/slide{number}.xml"] = (
            f"<p:sld {names}{show}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"
        )
    for number, text in notes.items():
        parts[f"ppt/slides/_rels/slide{number}.xml.rels"] = (
            f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_R}/notesSlide" '
            f'Target="../notesSlides/notesSlide{number}.xml"/></Relationships>'
        )
        parts[f"ppt/notesSlides/notesSlide{number}.xml"] = f"<p:notes {names}>{shape(text, 'body')}</p:notes>"
    return zipped(parts)


def shape(text: str, kind: str = "") -> str:
    placeholder = f'<p:nvPr><p:ph type="{kind}"/></p:nvPr>' if kind else "<p:nvPr/>"
    runs = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return f"<p:sp><p:nvSpPr>{placeholder}</p:nvSpPr><p:txBody>{runs}</p:txBody></p:sp>"


def table(rows: Sequence[Sequence[str]]) -> str:
    cells = "".join(
        "<a:tr>" + "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{c}</a:t></a:r></a:p></a:txBody></a:tc>" for c in row)
        + "</a:tr>"
        for row in rows
    )  # fmt: skip
    return f'<p:graphicFrame><a:tbl><a:tblPr firstRow="1"/>{cells}</a:tbl></p:graphicFrame>'


def odt(body: str, manifest: str = "<manifest/>") -> bytes:
    names = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    )
    content = (
        f"<office:document-content {names}><office:body><office:text>{body}</office:text></office:body>"
        "</office:document-content>"
    )
    return zipped({"META-INF/manifest.xml": manifest, "content.xml": content})


def test_each_row_of_a_sheet_has_the_names_of_its_columns() -> None:
    content = xlsx({
        "Plans": [["Prices 2026"], ["Plan", "Seats", "Window"], ["Pro", 10, "45 days"], [], ["Phone", "4172"]],
        "Old": [["Plan", "Seats", "Window"], ["Pro", 9, "44 days"]],
    }, hidden="Old")  # fmt: skip
    assert read("a.xlsx", content) == [
        ("Plans > Prices 2026", "Plan: Pro; Seats: 10; Window: 45 days"),
        ("Plans", "Phone | 4172"),
    ]


def test_two_rows_of_two_cells_are_pairs_not_a_table() -> None:
    assert read("a.xlsx", xlsx({"S": [["Contact", "Anna"], ["Phone", "4172"]]})) == [
        ("S", "Contact | Anna"),
        ("S", "Phone | 4172"),
    ]


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.1 + 0.2, "General", "0.3"),
        (1e21, "0", "1000000000000000000000"),
        (0.155, "0.0%", "15.5%"),
        (30, '#,##0.00 "€"', "30 €"),
        (30000, '"₩"#,##0', "30000 ₩"),
        (9.9, "[$€-407] #,##0.00", "9.9 €"),
        (9900, "[$₩-412]#,##0", "9900 ₩"),
        (9.9, "[$-409]#,##0", "9.9"),
        (9.9, "[Red]#,##0.00", "9.9"),
        (datetime.datetime(2026, 1, 2), "yyyy-mm-dd", "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 9, 30), "General", "2026-01-02 09:30:00"),
        (True, "General", "TRUE"),
        (None, "General", ""),
    ],
)
def test_a_cell_is_what_its_reader_sees(value: object, number_format: str, text: str) -> None:
    assert shown(value, number_format) == text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Plan;Price\nBasic;30 €\n", ["Plan: Basic; Price: 30 €"]),
        ("Name,Role\nAnna,Lead\nVictor,Manager\n", ["Name: Anna; Role: Lead", "Name: Victor; Role: Manager"]),
        ('Plan,Note\nPro,"a, b\nc"\n', ["Plan: Pro; Note: a, b c"]),
        ("이름\t요금\n기본\t9,900원\n", ["이름: 기본; 요금: 9,900원"]),
        ("only one column\n", ["only one column"]),
        ("name,city\nAnn,Berlin\n\nBob,Paris\n", ["name: Ann; city: Berlin", "name: Bob; city: Paris"]),
        ("Plan,2025,2026\nBasic,10,12\n", ["Plan: Basic; 2025: 10; 2026: 12"]),
        ("Plan,Price,,\nBasic,10,,\n", ["Plan: Basic; Price: 10"]),
        ("Jan,Feb,Mar\n5,5,5\n", ["Jan: 5; Feb: 5; Mar: 5"]),
        ('name,price\n"12"" monitor, flat",100\n', ['name: 12" monitor, flat; price: 100']),
    ],
)
def test_each_row_of_values_has_the_names_of_its_columns(content: str, expected: list[str]) -> None:
    assert [text for _, text in read("a.csv", content.encode())] == expected


def test_a_slide_is_read_under_its_title_with_tables_and_notes() -> None:
    slides = [
        shape("Body first") + shape("Plans", "title") + table([["Plan", "Window"], ["Pro", "45 days"]]),
        "HIDDEN" + shape("Draft", "title") + shape("not for readers"),
        shape("Contact", "ctrTitle"),
    ]
    assert read("a.pptx", pptx(slides, {0: "Say it slowly."})) == [
        ("Plans", "Body first"),
        ("Plans", "Plan: Pro; Window: 45 days"),
        ("Plans", "Say it slowly."),
        ("", "Contact"),
    ]


def test_a_presentation_is_read_without_footers_hidden_shapes_and_second_forms() -> None:
    hidden = shape("hidden").replace("<p:nvSpPr>", '<p:nvSpPr><p:cNvPr id="2" name="a" hidden="1"/>')
    slide = shape("Plans", "title") + shape("7", "sldNum") + hidden + shape("30 days")
    content = pptx([slide])
    assert read("a.pptx", content) == [("Plans", "30 days")]


def test_notes_of_an_open_document_do_not_run_into_its_numbers() -> None:
    body = "<text:note-body><text:p>5 seats only.</text:p></text:note-body>"
    note = f"<text:note><text:note-citation>1</text:note-citation>{body}</text:note>"
    hidden = (
        '<style:style xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" style:name="H">'
        '<style:text-properties text:display="none"/></style:style>'
        '<text:p>Shown<text:span text:style-name="H"> secret</text:span>.</text:p>'
    )
    assert read("a.odt", odt(f"<text:p>Basic costs 10{note} euros</text:p>{hidden}")) == [
        ("", "Basic costs 10 euros"),
        ("", "5 seats only."),
        ("", "Shown."),
    ]


def test_an_open_document_is_read_as_it_is_shown() -> None:
    body = (
        "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Plans</text:h>'
        "<text:p>The window<text:s/>is <text:span>30</text:span> days<office:annotation><text:p>note</text:p>"
        "</office:annotation>.</text:p>"
        "<text:list><text:list-item><text:p>One item</text:p></text:list-item></text:list>"
        "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Plan</text:p>"
        "</table:table-cell><table:table-cell><text:p>Window</text:p></table:table-cell></table:table-row>"
        "</table:table-header-rows><table:table-row><table:table-cell><text:p>Pro</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-repeated="1000000000"><text:p>45 days</text:p></table:table-cell>'
        "</table:table-row></table:table>"
    )
    found = read("a.odt", odt(body))
    assert found[:2] == [("Plans", "The window is 30 days."), ("Plans", "One item")]
    assert found[2][1].startswith("Plan: Pro; Window: 45 days")


def test_rich_text_is_read_without_what_is_hidden() -> None:
    content = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\pard 30 \'80 a month.\par{\v secret}\par "
        rb"{\b\v x}{\v a {\b b} c}{\f0\v x}{\v x\plain C:\\v}\par "
        rb"shown \v hidden \v0 again\par\trowd\intbl Plan\cell Seats\cell Window\cell\row"
        rb"\trowd\intbl Pro\cell 10\cell 45 days\cell\row\pard \u54620?\u44544?\par}"
    )
    assert [text for _, text in read("a.rtf", content)] == [
        "30 € a month.",
        "C:\\v",
        "shown again",
        "Plan: Pro; Seats: 10; Window: 45 days",
        "한글",
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "Encrypted"),
        ("a.odt", odt("<text:p>x</text:p>", "<manifest><encryption-data/></manifest>"), "Encrypted"),
        ("a.pptx", zipped({"ppt/presentation.xml": "<broken"}), "Corrupt"),
        ("a.odt", zipped({"content.xml": "<a/>"}), "Corrupt"),
        ("a.xlsx", b"PK\x03\x04 no zip", "Corrupt"),
        ("a.rtf", b"plain text", "Corrupt"),
        ("a.xlsx", xlsx({"S": []}), "Empty"),
        ("a.csv", b"\n\n", "Empty"),
        ("a.xlsx", zipped({f"{n}": "0" * 80_000_000 for n in range(4)}), "TooLarge"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as refused:
        parse(name, content, LIMITS)
    assert refused.value.reason == reason


@pytest.mark.parametrize("name", ["a.odt", "a.pptx"])
def test_no_entity_is_resolved(name: str) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    content = {
        "a.odt": zipped({"META-INF/manifest.xml": "<m/>", "content.xml": f"{bomb}<a><body><p>text &x;</p></body></a>"}),
        "a.pptx": pptx([shape("text &amp; more")]),
    }[name]
    assert "root:" not in str(read(name, content))


def test_a_file_that_is_only_called_doc_is_read_as_what_it_is() -> None:
    assert read("a.doc", b"{\\rtf1 Rich text.\\par}") == [("", "Rich text.")]
    assert read("a.doc", b"<html><body><p>A page.</p></body></html>") == [("", "A page.")]
    assert read("a.doc", docx([("Normal", "Newer Word.")])) == [("", "Newer Word.")]


def test_an_old_word_document_without_its_program_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"antiword.*save it as \.docx") as refused:
        parse_with_path(tmp_path, OLD_WORD)
    assert refused.value.reason == "Unsupported"


def test_a_damaged_old_word_document_is_refused_by_its_program() -> None:
    with pytest.raises(DocumentError, match=r"antiword cannot read it") as refused:
        parse_with_path(program("antiword", "usr/bin/antiword").parent, OLD_WORD)
    assert refused.value.reason == "Corrupt"


OLD_WORD = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4_000)


def parse_with_path(folder: Path, content: bytes) -> list[Block]:
    """Parse a .doc file with programs of this folder alone."""
    code = "import os; os.environ['PATH'] = {!r}; from retrieval.ingest.parse.fork_server import *; serve(parse)"
    parsers = Parsers([sys.executable, "-c", code.format(str(folder))])
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("retrieval.ingest.parse.run.parsers", lambda: parsers)
            return parse("a.doc", content, LIMITS)
    finally:
        parsers.close()
