"""A page of a PDF as pdfium reads it: runs of letters with their places.

https://pdfium.googlesource.com/pdfium/+/refs/heads/main/public/fpdf_text.h
"""

import ctypes
import math
import re
from collections.abc import Iterator
from typing import NamedTuple

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


class _Piece(NamedTuple):
    """A word, or a part of one. `text` begins with a space if one stands before it.
    `place` is its first letter's in the page's text."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    is_bold: bool
    place: int

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def follows(self, before: "_Piece") -> bool:
        """True if it goes on with a run."""
        gap = max(self.left - before.right, before.left - self.right)  # in either direction
        return -before.height < gap < _GAP * before.height and self.is_like(before)

    def is_like(self, other: "_Piece") -> bool:
        """True if it stands on the same line, in the same letters."""
        return (
            abs(self.base - other.base) < 0.1 * other.height
            and self.is_bold == other.is_bold
            and abs(self.height - other.height) < 0.1
        )

    def with_end(self, end: "_Piece", text: str) -> "_Piece":
        """The word from its first and its last letter, in either direction."""
        return self._replace(text=text, left=min(self.left, end.left), right=max(self.right, end.right))


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
    pieces: list[_Piece] = []
    for piece in _pieces(textpage, page.get_size()):
        if pieces and not piece.follows(pieces[-1]):
            found.append(_run(pieces, textpage))
            pieces = []
        pieces.append(piece)
    return [*found, _run(pieces, textpage)] if pieces else found


def _run(pieces: list[_Piece], textpage: pdfium.PdfTextPage) -> Run:
    first = pieces[0]
    return Run(
        text=_DOTS.sub(f" {LEADER} ", "".join(piece.text for piece in pieces)).strip(),
        left=min(piece.left for piece in pieces),
        top=min(piece.top for piece in pieces),
        right=max(piece.right for piece in pieces),
        bottom=max(piece.bottom for piece in pieces),
        base=first.base,
        size=_size(first, textpage),
        is_bold=first.is_bold,
    )


def _size(piece: _Piece, textpage: pdfium.PdfTextPage) -> float:
    """As shown: the font's size in the page's scale."""
    matrix = raw.FS_MATRIX()
    if not raw.FPDFText_GetMatrix(textpage, piece.place, matrix):
        return piece.height
    return float(raw.FPDFText_GetFontSize(textpage, piece.place) * math.hypot(matrix.c, matrix.d))


def _pieces(textpage: pdfium.PdfTextPage, page: tuple[float, float]) -> Iterator[_Piece]:
    """Words; those whose ends are in other letters, such as one with a raised number, letter by letter. Each question
    to pdfium takes a microsecond, so only the ends of words are placed."""
    for space, start, word in _words(textpage):
        first = _placed(space + word[0], textpage, start, page)
        last = _placed(word[-1], textpage, start + len(word) - 1, page) if len(word) > 1 else first
        if first and last and last.is_like(first):
            yield first.with_end(last, space + word)
            continue
        for number, letter in enumerate(word):
            piece = _placed(letter if number else space + letter, textpage, start + number, page)
            if piece:
                yield piece


def _words(textpage: pdfium.PdfTextPage) -> Iterator[tuple[str, int, str]]:
    """What stands before each word (a space or nothing), the index of its first letter, and the word."""
    count = textpage.count_chars()
    letters = [_text(raw.FPDFText_GetUnicode(textpage, index)) for index in range(count)]
    space, start = "", 0
    for index, letter in enumerate([*letters, " "]):
        if letter.strip():
            continue
        if index > start:
            yield space, start, "".join(letters[start:index])
        space, start = " " if letter else "", index + 1


def _text(code: int) -> str:
    """Of one letter; empty for what is none."""
    if code in (2, 0xFFFE):
        return HYPHEN
    return chr(code) if 0 < code < 0x110000 else ""


def _placed(text: str, textpage: pdfium.PdfTextPage, index: int, page: tuple[float, float]) -> _Piece | None:
    """None for a letter that the page does not show upright."""
    width, height = page
    box, x, y = raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    if not raw.FPDFText_GetLooseCharBox(textpage, index, box) or not raw.FPDFText_GetCharOrigin(textpage, index, x, y):
        return None
    is_upright = abs(raw.FPDFText_GetCharAngle(textpage, index)) < _UPRIGHT
    if not is_upright or box.left > width or box.right < 0 or box.bottom > height or box.top < 0:
        return None
    is_bold = raw.FPDFText_GetFontWeight(textpage, index) >= _BOLD
    return _Piece(text, box.left, height - box.top, box.right, height - box.bottom, height - y.value, is_bold, index)
