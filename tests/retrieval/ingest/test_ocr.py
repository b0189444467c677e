"""Scanned pages are read where the platform has the program and the languages for it."""

import io
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from retrieval.errors import DocumentError
from retrieval.ingest.parse.ocr import PROGRAM
from retrieval.ingest.parse.pdf import convert
from retrieval.ingest.parse.pdf import parse as read
from retrieval.ingest.parse.run import parse
from tests.retrieval.ingest.test_parse import LIMITS

FEE, TERM = "The parking fee of the shop is 4 dollars.", "The term of the contract is 24 months."
READING = replace(LIMITS, ocr_languages="eng", parse_memory_bytes=1_500_000_000)

needs_program = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")


def _pages(*texts: str, scanned: Sequence[bool]) -> bytes:
    """A page for each text, as a picture where it is scanned."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    for text, is_scan in zip(texts, scanned, strict=True):
        if is_scan:
            canvas.drawImage(ImageReader(_picture(text)), 0, 0, *A4)
        else:
            canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _picture(text: str) -> io.BytesIO:
    out, picture = io.BytesIO(), io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setFont("Helvetica", 14)
    canvas.drawString(72, 700, text)
    canvas.save()
    pdfium.PdfDocument(out.getvalue())[0].render(scale=200 / 72).to_pil().save(picture, "PNG")
    picture.seek(0)
    return picture


@needs_program
def test_scanned_pages_are_read_and_stand_among_the_others() -> None:
    blocks = parse("a.pdf", _pages(FEE, TERM, FEE, scanned=[True, False, True]), READING)
    assert [(block.page, block.text) for block in blocks] == [(1, FEE), (2, TERM), (3, FEE)]


@needs_program
def test_a_language_that_is_not_installed_is_named() -> None:
    with pytest.raises(DocumentError, match=r"xyz.*administers the platform") as refused:
        parse("a.pdf", _pages(FEE, scanned=[True]), replace(READING, ocr_languages="xyz"))
    assert refused.value.reason == "Unsupported"


def test_without_languages_a_scan_is_refused_and_says_why() -> None:
    with pytest.raises(DocumentError, match="scan") as refused:
        parse("a.pdf", _pages(FEE, scanned=[True]), LIMITS)
    assert refused.value.reason == "Empty"


def test_without_the_program_the_other_pages_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    content = convert(_pages(FEE, TERM, scanned=[True, False]), "eng")
    assert [(block.page, block.text) for block in read(content)] == [(2, TERM)]
