"""Reads scans in a PDF: the program `tesseract` writes a text layer into pages that are pictures."""

import io
import os
import shutil
import subprocess

import pypdfium2 as pdfium
from pypdfium2 import raw

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.parse.fence import die_with_parent
from retrieval.ingest.parse.pdf_page import opened

PROGRAM = "tesseract"
_DOTS_PER_INCH = 300
_MOST_DOTS = 5_000  # of a side
_INCH = 72  # points
MOST_SCANS = 60  # of a document: a page takes about 3 seconds, and a document has four minutes
_MOST_ADDED = 100  # letters that a scanner or its program writes on a page
_PICTURE = 0.5  # of the page


def with_text_layer(content: bytes, languages: str) -> bytes:
    """The PDF with text in its scanned pages; the PDF itself if it has none, or the program is not installed. Starts
    a program for each page, which has the limits of the calling process."""
    program = shutil.which(PROGRAM)
    if program is None:
        return content
    with opened(content) as document:
        scans = {index for index in range(len(document)) if _is_scan(document[index])}
        if not scans:
            return content
        if len(scans) > MOST_SCANS:
            message = f"it has {len(scans)} scanned pages, and of one document {MOST_SCANS} are read: split it"
            raise DocumentError(reasons.TOO_LARGE, message)
        made = pdfium.PdfDocument.new()
        for index in range(len(document)):
            page = _recognised(program, document[index], languages) if index in scans else None
            if page:
                made.import_pages(pdfium.PdfDocument(page))
            else:
                made.import_pages(document, [index])
        out = io.BytesIO()
        made.save(out)
        return out.getvalue()


def _is_scan(page: pdfium.PdfPage) -> bool:
    """True for a page that is a picture, with no more text than a scanner adds."""
    if len(page.get_textpage().get_text_range().strip()) > _MOST_ADDED:
        return False
    width, height = page.get_size()
    pictures = (image.get_bounds() for image in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3))
    return any((right - left) * (top - low) > _PICTURE * width * height for left, low, right, top in pictures)


def _recognised(program: str, page: pdfium.PdfPage, languages: str) -> bytes | None:
    """A PDF of the one page; None if it takes too long. Raises DocumentError with what the program says."""
    scale = min(_DOTS_PER_INCH / _INCH, _MOST_DOTS / max(page.get_size()))
    done = subprocess.run(
        [
            program,
            "stdin",
            "stdout",
            "-l",
            languages,
            "--dpi",
            str(round(scale * _INCH)),
            "-c",
            "textonly_pdf=1",
            "pdf",
        ],
        input=_picture(page, scale),
        capture_output=True,
        check=False,
        env={"OMP_THREAD_LIMIT": "1", "PATH": os.defpath},
        preexec_fn=die_with_parent,
    )
    if done.returncode < 0:  # by the limit of CPU time
        return None
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
