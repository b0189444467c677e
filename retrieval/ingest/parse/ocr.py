"""Reads scans in a PDF: the program `tesseract` writes a text layer into pages that are pictures."""

import io
import os
import shutil
import subprocess

import pypdfium2 as pdfium
from pypdfium2 import raw

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.parse.pdf_page import opened

PROGRAM = "tesseract"
_DOTS_PER_INCH = 300
_MOST_DOTS = 5_000  # of a side
_INCH = 72  # points


def with_text_layer(content: bytes, languages: str) -> bytes:
    """The PDF with text in its scanned pages; the PDF itself if it has none, or the program is not installed. Starts
    a program for each page, which has the limits of the calling process."""
    program = shutil.which(PROGRAM)
    if program is None:
        return content
    with opened(content) as document:
        scans = [index for index in range(len(document)) if _is_scan(document[index])]
        if not scans:
            return content
        made = pdfium.PdfDocument.new()
        for index in range(len(document)):
            if index in scans:
                made.import_pages(pdfium.PdfDocument(_recognised(program, document[index], languages)))
            else:
                made.import_pages(document, [index])
        out = io.BytesIO()
        made.save(out)
        return out.getvalue()


def _is_scan(page: pdfium.PdfPage) -> bool:
    """True for a page with a picture and without text."""
    if page.get_textpage().get_text_range().strip():
        return False
    return next(iter(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)), None) is not None


def _recognised(program: str, page: pdfium.PdfPage, languages: str) -> bytes:
    """A PDF of the one page. Raises DocumentError with what the program says."""
    scale = min(_DOTS_PER_INCH / _INCH, _MOST_DOTS / max(page.get_size()))
    done = subprocess.run(
        [program, "stdin", "stdout", "-l", languages, "--dpi", str(round(scale * _INCH)), "pdf"],
        input=_picture(page, scale),
        capture_output=True,
        check=False,
        env={"OMP_THREAD_LIMIT": "1", "PATH": os.defpath},
    )
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())[:200]
        message = f"its scanned pages cannot be read ({PROGRAM}: {said}): ask whoever administers the platform"
        raise DocumentError(reasons.UNSUPPORTED, message)
    return done.stdout


def _picture(page: pdfium.PdfPage, scale: float) -> bytes:
    """In shades of grey, as a PGM file (https://netpbm.sourceforge.net/doc/pgm.html)."""
    shades = page.render(scale=scale, grayscale=True).to_numpy()
    height, width = shades.shape[:2]
    return b"P5 %d %d 255\n" % (width, height) + bytes(shades.reshape(height, width).tobytes())
