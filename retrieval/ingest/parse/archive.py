"""Opens documents that are zip archives: Word, Excel, PowerPoint, OpenDocument."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from lxml import etree
from lxml.etree import _Element as Element

from retrieval.errors import DocumentError
from retrieval.ingest import reasons

OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # begins encrypted OOXML files, and files of Office before 2007
_MAX_UNPACKED = 300_000_000  # bytes; a document of a megabyte can unpack to terabytes


@contextmanager
def opened(content: bytes, suffix: str) -> Iterator[zipfile.ZipFile]:
    """Raises `DocumentError` for an encrypted archive, and for one that unpacks to too much."""
    if content.startswith(OLE):
        message = f"it has a password or a format of Office before 2007: save it as {suffix} without a password"
        raise DocumentError(reasons.ENCRYPTED, message)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check(archive)
        yield archive


def read_xml(archive: zipfile.ZipFile, part: str) -> Element:
    """The root of a part. No entity is resolved, and nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    return etree.fromstring(archive.read(part), parser)


def local_name(element: Element) -> str:
    """The name without its namespace; "" for comments and instructions."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _check(archive: zipfile.ZipFile) -> None:
    if any(entry.flag_bits & 1 for entry in archive.infolist()):
        raise DocumentError(reasons.ENCRYPTED, "parts of it need a password: save it without one")
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _MAX_UNPACKED:
        message = (
            f"it unpacks to {unpacked:,} bytes, over {_MAX_UNPACKED:,}: split it or remove pictures and other objects"
        )
        raise DocumentError(reasons.TOO_LARGE, message)
