"""Small documents of kinds that people reported elsewhere, each with what is right."""

from pathlib import Path

import pytest

from retrieval.errors import DocumentError
from retrieval.ingest.parse.run import parse
from tests.retrieval.ingest.test_parse import LIMITS

CASES = Path(__file__).parents[4] / "shared/cases/documents"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason=f"{CASES} is not part of this checkout")


def _passages(name: str) -> list[str]:
    return [block.text for block in parse(name, (CASES / name).read_bytes(), LIMITS)]


@pytest.mark.parametrize("name", ["table-wide.docx", "confluence-table.html", "plans-table.md", "plans-inline-html.md"])
def test_a_row_stays_a_row_with_its_header(name: str) -> None:
    rows = [text for text in _passages(name) if text.startswith("Plan: ")]
    assert [row.split(";")[0] for row in rows][:2] == ["Plan: Basic", "Plan: Pro"]
    assert all("Refund window" in row and row.count("Plan: ") == 1 for row in rows)
    assert next(row for row in rows if "Plan: Pro" in row).count("30 days") == 1


def test_underlined_headings_are_headings() -> None:
    assert [block.heading for block in parse("setext.md", (CASES / "setext.md").read_bytes(), LIMITS)] == [
        "Fees", "Fees > Other",
    ]  # fmt: skip


def test_fields_of_word_keep_their_text_and_hidden_text_is_left_out() -> None:
    assert _passages("fldsimple.docx") == ["Contract VX-8812 with Orlan Ltd costs 250 dollars."]
    assert _passages("hidden-field.docx") == ["Visible text 1.", "3 Marchlink text"]


def test_a_page_header_is_read_once() -> None:
    assert sum("VX-8812" in text for text in _passages("header-footer.docx")) == 1


def test_a_note_beside_the_text_is_read() -> None:
    assert "The restore command deletes every snapshot older than 9 days." in _passages("notes-aside.html")


def test_markup_is_recognised_whatever_the_name() -> None:
    assert _passages("page-named.txt") == ["The gate code is 5521."]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cp1252.txt", "fee is 12 € a day"), ("gbk.txt", "退款期限为三十天。"), ("sjis.txt", "返金期間は三十日です。"),
        ("cp949.txt", "환불 기간은 30일입니다."), ("utf16le-nobom.txt", "The refund window is 14 days."),
        ("word-save-as.html", "fee is 12 € a day."),
    ],
)  # fmt: skip
def test_old_encodings_are_decoded(name: str, text: str) -> None:
    assert text in " ".join(_passages(name))


def test_words_broken_at_the_end_of_a_line_are_joined_and_codes_keep_their_hyphen() -> None:
    (text,) = _passages("hyphen.pdf")
    assert {"well-known", "refund", "state-of-the-art,", "AB-CD", "pay-per-use."} <= set(text.split())


def test_what_is_no_text_is_refused_with_the_suspicion() -> None:
    with pytest.raises(DocumentError, match="suspected"):
        parse("a.txt", bytes(range(256)) * 4, LIMITS)
