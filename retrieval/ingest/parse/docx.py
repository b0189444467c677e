"""Reads Word documents (OOXML, ECMA-376), strict and transitional."""

import io
import zipfile
from collections.abc import Iterator

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.word import Package, blocks

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # begins encrypted OOXML files, and files of Word before 2007
_MAX_UNPACKED = 300_000_000  # bytes; a document of a megabyte can unpack to terabytes


def parse(content: bytes) -> Iterator[Block]:
    """Page headers, then paragraphs, list items and table rows under their headings, then page footers and notes."""
    if content.startswith(_OLE):
        raise DocumentError(
            reasons.ENCRYPTED, "it has a password or the older .doc format: save it as .docx without a password"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check(archive)
        yield from blocks(Package(archive))


def _check(archive: zipfile.ZipFile) -> None:
    if any(entry.flag_bits & 1 for entry in archive.infolist()):
        raise DocumentError(reasons.ENCRYPTED, "parts of it need a password: save it without one")
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _MAX_UNPACKED:
        message = (
            f"it unpacks to {unpacked:,} bytes, over {_MAX_UNPACKED:,}: split it or remove pictures and other objects"
        )
        raise DocumentError(reasons.TOO_LARGE, message)
