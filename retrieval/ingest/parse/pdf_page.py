"""A page of a PDF as pdfium reads it: runs of letters with their places.

https://pdfium.googlesource.com/pdfium/+/refs/heads/main/public/fpdf_text.h
"""

import ctypes
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pypdfium2 as pdfium
from pypdfium2 import raw

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.parse.layout import Run

HYPHEN = "\ufffe"  # pdfium's mark for a hyphen at the end of a line, of the typesetter or of the word
_BOLD = 600
_UPRIGHT = 0.1  # radians
_GAP = 0.9  # of the letters' height: a wider gap ends a run
_DOTS = re.compile(r"(?:\s?\.){4,}\s?")  # of a table of contents
LEADER = "…"


@dataclass(frozen=True)
class _Letter:
    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    is_bold: bool
    index: int

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def follows(self, before: "_Letter") -> bool:
        """True if it goes on with a run."""
        gap = max(self.left - before.right, before.left - self.right)  # in either direction
        return (
            abs(self.base - before.base) < 0.1 * before.height
            and -before.height < gap < _GAP * before.height
            and self.is_bold == before.is_bold
            and abs(self.height - before.height) < 0.1
        )


def opened(content: bytes) -> pdfium.PdfDocument:
    """Files that are encrypted only against changes have an empty password. Raises DocumentError."""
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
            raise DocumentError(reasons.ENCRYPTED, "it needs a password: save it without one") from error
        raise


def runs(page: pdfium.PdfPage) -> list[Run]:
    """In the order of the file. Letters outside the page, and of other directions than horizontal, are left out."""
    textpage = page.get_textpage()
    found: list[Run] = []
    letters: list[_Letter] = []
    for letter in _letters(page, textpage):
        if letters and (letter is None or not letter.follows(letters[-1])):
            found += _run(letters, textpage)
            letters = []
        if letter is not None:
            letters.append(letter)
    return [*found, *_run(letters, textpage)]


def _run(letters: list[_Letter], textpage: pdfium.PdfTextPage) -> list[Run]:
    shown = [letter for letter in letters if letter.text.strip()]
    if not shown:
        return []
    text = _DOTS.sub(f" {LEADER} ", "".join(letter.text for letter in letters)).strip()
    first = shown[0]
    return [
        Run(
            text, min(letter.left for letter in shown), min(letter.top for letter in shown),
            max(letter.right for letter in shown),
            max(letter.bottom for letter in shown), first.base, _size(first, textpage), first.is_bold,
        )
    ]  # fmt: skip


def _size(letter: _Letter, textpage: pdfium.PdfTextPage) -> float:
    """As shown: the font's size in the page's scale."""
    matrix = raw.FS_MATRIX()
    if not raw.FPDFText_GetMatrix(textpage, letter.index, matrix):
        return letter.height
    return float(raw.FPDFText_GetFontSize(textpage, letter.index) * math.hypot(matrix.c, matrix.d))


def _letters(page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> Iterator[_Letter | None]:
    """None at the end of a line. Spaces that pdfium adds have no width."""
    size = page.get_size()
    before: _Letter | None = None
    for index in range(textpage.count_chars()):
        text = _text(raw.FPDFText_GetUnicode(textpage, index))
        if text in ("\r", "\n"):
            before = None
            yield None
        elif text == " " and raw.FPDFText_IsGenerated(textpage, index) == 1:
            if before is not None:
                before = replace(before, text=" ", left=before.right)
                yield before
        elif text and (letter := _placed(text, textpage, index, size)):
            before = letter
            yield letter


def _text(code: int) -> str:
    if code in (2, 0xFFFE):
        return HYPHEN
    return chr(code) if 0 < code < 0x110000 else ""


def _placed(text: str, textpage: pdfium.PdfTextPage, index: int, page: tuple[float, float]) -> _Letter | None:
    """None for a letter that the page does not show upright."""
    width, height = page
    box, x, y = raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    if not raw.FPDFText_GetLooseCharBox(textpage, index, box) or not raw.FPDFText_GetCharOrigin(textpage, index, x, y):
        return None
    is_upright = abs(raw.FPDFText_GetCharAngle(textpage, index)) < _UPRIGHT
    if not is_upright or box.left > width or box.right < 0 or box.bottom > height or box.top < 0:
        return None
    is_bold = raw.FPDFText_GetFontWeight(textpage, index) >= _BOLD
    return _Letter(text, box.left, height - box.top, box.right, height - box.bottom, height - y.value, is_bold, index)
