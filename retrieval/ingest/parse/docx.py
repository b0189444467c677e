"""Word documents (OOXML)."""

import io
import zipfile
from collections.abc import Iterator

import mammoth

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.html import blocks

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # begins encrypted OOXML files, and files of Word before 2007
_MAX_UNPACKED = 300_000_000  # bytes; a document of a megabyte can unpack to terabytes


def parse(content: bytes) -> Iterator[Block]:
    """Paragraphs, list items and table rows under their headings; images are left out."""
    if content.startswith(_OLE):
        raise DocumentError(
            reasons.ENCRYPTED, "it has a password or the older .doc format: save it as .docx without a password"
        )
    _check_archive(content)
    without_images = mammoth.images.img_element(lambda _image: {})
    return blocks(f"<body>{mammoth.convert_to_html(io.BytesIO(content), convert_image=without_images).value}</body>")


def _check_archive(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(entry.flag_bits & 1 for entry in archive.infolist()):
            raise DocumentError(reasons.ENCRYPTED, "parts of it need a password: save it without one")
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _MAX_UNPACKED:
        message = (
            f"it unpacks to {unpacked:,} bytes, over {_MAX_UNPACKED:,}: split it or remove pictures and other objects"
        )
        raise DocumentError(reasons.TOO_LARGE, message)
