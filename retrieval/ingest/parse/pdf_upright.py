"""Turns pages and moves them to the origin, so that everything after sees them as they are shown."""

import io

import pypdfium2 as pdfium
from pypdfium2 import raw

Box = tuple[float, float, float, float]  # left, bottom, right, top


def upright(document: pdfium.PdfDocument) -> bytes | None:
    """The turned PDF. None if every page is upright at the origin already."""
    odd = [page for page in document if page.get_rotation() or _box(page)[:2] != (0, 0)]
    if not odd:
        return None
    for page in odd:
        _set_upright(page)
    out = io.BytesIO()
    document.save(out, flags=raw.FPDF_REMOVE_SECURITY)
    return out.getvalue()


def _set_upright(page: pdfium.PdfPage) -> None:
    box = _box(page)
    raw.FPDFPage_TransFormWithClip(page, raw.FS_MATRIX(*_matrix(page.get_rotation(), box)), None)
    width, height = box[2] - box[0], box[3] - box[1]
    if page.get_rotation() in (90, 270):
        width, height = height, width
    page.set_rotation(0)
    page.set_mediabox(0, 0, width, height)
    page.set_cropbox(0, 0, width, height)


def _matrix(rotation: int, box: Box) -> tuple[float, float, float, float, float, float]:
    """From the page's space to what is shown: x' = a x + c y + e, y' = b x + d y + f."""
    left, bottom, right, top = box
    return {
        0: (1, 0, 0, 1, -left, -bottom),
        90: (0, -1, 1, 0, -bottom, right),
        180: (-1, 0, 0, -1, right, top),
        270: (0, 1, -1, 0, top, -left),
    }[rotation]


def _box(page: pdfium.PdfPage) -> Box:
    """What is shown: the part of the crop box within the media box."""
    media, crop = page.get_mediabox(), page.get_cropbox()
    shown = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    return shown if shown[0] < shown[2] and shown[1] < shown[3] else media
