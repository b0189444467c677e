"""A PDF is read as a person reads it: by columns, headings and tables, without running heads, with its pages."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import RectangleObject
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Table,
)

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.pdf import parse

STYLES = getSampleStyleSheet()
GRID = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
PLANS = [["Plan", "Seats", "Price"], ["Basic", "1", "9 EUR"], ["Pro", "10", "29 EUR"]]
ROWS = ["Plan: Basic; Seats: 1; Price: 9 EUR", "Plan: Pro; Seats: 10; Price: 29 EUR"]
HEBREW = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
SENTENCE = "The team answers a ticket of kind {} within {} hours at any time of the day and on every day of the week."


def _text(text: str, style: str = "BodyText") -> Paragraph:
    return Paragraph(text, STYLES[style])


def _document(story: Sequence[Any], foot: Callable[[Canvas, Any], None] = lambda *_: None) -> list[Block]:
    """Pages of one column, and of two after `NextPageTemplate("two")`."""
    out = io.BytesIO()
    document = BaseDocTemplate(out, pagesize=A4)
    document.addPageTemplates(
        [
            PageTemplate("one", [Frame(60, 60, 480, 740)], onPage=foot),
            PageTemplate("two", [Frame(60, 60, 230, 740), Frame(310, 60, 230, 740)], onPage=foot),
        ]
    )
    document.build(list(story))
    return list(parse(out.getvalue()))


def _drawn(draw: Callable[[Canvas], None]) -> list[str]:
    """The texts of one page."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    draw(canvas)
    canvas.save()
    return [block.text for block in parse(out.getvalue())]


@pytest.mark.parametrize("style", [GRID, []], ids=["ruled", "aligned"])
def test_a_table_is_read_row_by_row_with_the_names_of_its_columns(style: list[Any]) -> None:
    table = Table(PLANS, style=style, colWidths=[120, 120, 120])
    blocks = _document([_text("Prices are below."), table, _text("Prices are above.")])
    assert [block.text for block in blocks] == ["Prices are below.", *ROWS, "Prices are above."]
    assert [block.is_row for block in blocks] == [False, True, True, False]


def test_a_merged_cell_belongs_to_every_row_that_it_covers() -> None:
    cells = [["Region", "Fee", "Days"], ["Europe", "4 EUR", "2"], ["", "9 EUR", "1"]]
    table = Table(cells, style=[*GRID, ("SPAN", (0, 1), (0, 2))], colWidths=[120, 120, 120])
    assert [block.text for block in _document([table])] == [
        "Region: Europe; Fee: 4 EUR; Days: 2",
        "Region: Europe; Fee: 9 EUR; Days: 1",
    ]


@pytest.mark.parametrize("style", [GRID, []], ids=["ruled", "aligned"])
def test_a_cell_of_several_lines_stays_one(style: list[Any]) -> None:
    cells = [["Plan", "Terms", "Price"], ["Basic", "30 days,\nno refund", "9 EUR"], ["Pro", "60 days", "29 EUR"]]
    table = Table(cells, style=[*style, ("VALIGN", (0, 0), (-1, -1), "TOP")], colWidths=[120, 120, 120])
    assert [block.text for block in _document([table])] == [
        "Plan: Basic; Terms: 30 days, no refund; Price: 9 EUR",
        "Plan: Pro; Terms: 60 days; Price: 29 EUR",
    ]


def test_columns_are_read_one_after_the_other() -> None:
    sentences = [SENTENCE.format(n, n + 1) for n in range(30)]
    blocks = _document([NextPageTemplate("two"), PageBreak(), *map(_text, sentences)])
    assert [block.text for block in blocks] == sentences


def test_headings_and_pages_are_those_above_the_text() -> None:
    blocks = _document(
        [
            _text("Handbook", "Title"), _text("Welcome."), _text("Plans", "Heading1"), _text("There are three plans."),
            _text("Refunds", "Heading2"), _text("A refund takes <b>five</b> days."), PageBreak(),
            _text("Support", "Heading1"), _text("Call us."),
        ]
    )  # fmt: skip
    assert [(block.page, block.heading, block.text) for block in blocks][-3:] == [
        (1, "Plans", "There are three plans."),
        (1, "Plans > Refunds", "A refund takes five days."),
        (2, "Support", "Call us."),
    ]


def test_running_heads_stay_once_and_other_repeated_lines_stay() -> None:
    def foot(canvas: Canvas, document: Any) -> None:
        canvas.drawString(60, 25, "Velmora handbook")
        canvas.drawString(480, 25, f"Page {document.page} of 4")

    chapters = ((_text(f"Chapter {n}", "Heading1"), _text("Note."), PageBreak()) for n in range(4))
    blocks = _document([part for chapter in chapters for part in chapter], foot)
    texts = [block.text for block in blocks]
    assert [text for text in texts if "handbook" in text] == ["Velmora handbook Page 1 of 4"]
    assert texts.count("Note.") == 4
    assert [block.heading for block in blocks if block.text == "Note."] == [f"Chapter {n}" for n in range(4)]


def test_what_looks_like_a_running_head_and_says_something_else_on_each_page_stays() -> None:
    def draw(canvas: Canvas) -> None:
        for page in range(1, 6):
            canvas.drawString(60, 700, f"Sheet of product {'ABCDE'[page - 1]}.")
            canvas.drawString(60, 120, f"Price: {page}000 won")
            canvas.showPage()

    texts = _drawn(draw)
    assert [text for text in texts if text.startswith("Price")] == [f"Price: {page}000 won" for page in range(1, 6)]


@pytest.mark.parametrize("count", [2, 3])
def test_columns_with_words_in_bold_are_read_one_after_the_other(count: int) -> None:
    width = 500 // count

    def draw(canvas: Canvas) -> None:
        for column in range(count):
            for line in range(12):
                text = canvas.beginText(40 + column * width, 700 - 14 * line)
                text.setFont("Helvetica-Bold", 9)
                text.textOut(f"c{column}")
                text.setFont("Helvetica", 9)
                text.textOut(f" line {line:02} of prose that fills it"[: width // 5])
                canvas.drawText(text)

    texts = " ".join(_drawn(draw))
    order = [texts.index(f"c{column} line {line:02}") for column in range(count) for line in range(12)]
    assert order == sorted(order)
    assert "|" not in texts


@pytest.mark.skipif(not HEBREW.exists(), reason=f"{HEBREW} is not there")
def test_hebrew_is_read_from_right_to_left() -> None:
    pdfmetrics.registerFont(TTFont("hebrew", str(HEBREW)))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("hebrew", 12)
        canvas.drawString(60, 700, "מדיניות ההחזרים של החברה"[::-1])  # as it stands on paper, from the left

    assert _drawn(draw) == ["מדיניות ההחזרים של החברה"]


def test_a_raised_number_stays_in_its_line_and_dots_of_a_table_of_contents_go() -> None:
    raised, dots = _text("We use common tools<super>1</super> and others."), _text("Refunds . . . . . . . . . 7")
    blocks = _document([raised, PageBreak(), dots])
    assert [block.text for block in blocks] == ["We use common tools1 and others.", "Refunds … 7"]


def test_korean_is_read() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("HYSMyeongJo-Medium"))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("HYSMyeongJo-Medium", 12)
        canvas.drawString(60, 700, "환불 기간은 30일입니다.")

    assert _drawn(draw) == ["환불 기간은 30일입니다."]


def test_text_that_is_turned_or_outside_the_page_is_left_out() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 700, "The fee is 7 euros.")
        canvas.drawString(60, 5000, "The fee is 9 euros.")
        canvas.saveState()
        canvas.translate(300, 400)
        canvas.rotate(45)
        canvas.drawString(0, 0, "DRAFT")
        canvas.restoreState()

    assert _drawn(draw) == ["The fee is 7 euros."]


def test_items_of_a_list_are_paragraphs_with_their_marks() -> None:
    def draw(canvas: Canvas) -> None:
        for number, text in enumerate(["Basic costs 9 EUR.", "Pro costs 29 EUR."]):
            canvas.drawString(60, 700 - 15 * number, "•")
            canvas.drawString(90, 700 - 15 * number, text)

    assert _drawn(draw) == ["• Basic costs 9 EUR.", "• Pro costs 29 EUR."]


def test_a_page_of_many_lines_is_no_table() -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(4_000):
            canvas.line(number % 500, 100, number % 500, 600)
        canvas.drawString(60, 700, "A drawing.")

    assert _drawn(draw) == ["A drawing."]


def _page(rotation: int, left: float, bottom: float) -> bytes:
    """A page of 400 by 300 as shown, with a line of text and a table, turned and moved in the file."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(2_000, 2_000))
    width, height = (400, 300) if rotation in (0, 180) else (300, 400)
    canvas.translate(left, bottom)
    if rotation:  # drawn so that the turn of the viewer sets it upright
        canvas.translate(*{90: (width, 0), 180: (width, height), 270: (0, height)}[rotation])
        canvas.rotate(rotation)
    canvas.drawString(40, 250, "The late fee is 7 euros.")
    table = Table(PLANS, style=GRID, colWidths=[90, 90, 90])
    table.wrapOn(canvas, 300, 200)
    table.drawOn(canvas, 40, 120)
    canvas.save()
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(out.getvalue())))
    page = writer.pages[0]
    page.rotation = rotation
    page.mediabox = page.cropbox = RectangleObject((left, bottom, left + width, bottom + height))
    turned = io.BytesIO()
    writer.write(turned)
    return turned.getvalue()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(("left", "bottom"), [(0, 0), (1_000, 700)])
def test_a_page_is_read_as_it_is_shown_however_it_lies_in_the_file(rotation: int, left: int, bottom: int) -> None:
    assert [block.text for block in parse(_page(rotation, left, bottom))] == ["The late fee is 7 euros.", *ROWS]


def test_text_outside_the_part_that_is_shown_is_left_out() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(_page(0, 0, 0))))
    writer.pages[0].cropbox = RectangleObject((20, 230, 400, 300))
    out = io.BytesIO()
    writer.write(out)
    assert [block.text for block in parse(out.getvalue())] == ["The late fee is 7 euros."]


def test_chart_paper_is_no_table() -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(100):
            canvas.line(50 + 4 * number, 100, 50 + 4 * number, 500)
            canvas.line(50, 100 + 4 * number, 450, 100 + 4 * number)
        canvas.drawString(60, 700, "A chart.")

    assert _drawn(draw) == ["A chart."]
