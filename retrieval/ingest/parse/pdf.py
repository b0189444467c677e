"""Reads the text layer of a PDF, page by page."""

import io
import re
from collections.abc import Iterator

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.clean import paragraphs
from retrieval.ingest.parse.hyphens import unbroken

_PAGE_END = "\f\n"
_WRAPPED = re.compile(r"(?<!\n)\n(?!\n)")  # a line break inside a paragraph
_LOCKED = "it needs a password: save it without one"


def parse(content: bytes) -> Iterator[Block]:
    """The paragraphs of each page in order. A scan has no text layer, so it has no paragraphs."""
    pages = [page.extract_text() for page in _unlocked(PdfReader(io.BytesIO(content))).pages]
    for text in unbroken(_PAGE_END.join(pages)).split(_PAGE_END):
        yield from (Block("", part) for part in paragraphs(_WRAPPED.sub(" ", text)))


def _unlocked(reader: PdfReader) -> PdfReader:
    """Opens files that are encrypted only against changes: they have an empty password."""
    try:
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError(reasons.ENCRYPTED, _LOCKED)
    except (DependencyError, FileNotDecryptedError, NotImplementedError) as error:
        raise DocumentError(reasons.ENCRYPTED, _LOCKED) from error
    return reader
