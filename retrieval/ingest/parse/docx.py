"""Reads Word documents (OOXML, ECMA-376), strict and transitional."""

from collections.abc import Iterator

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.archive import opened
from retrieval.ingest.parse.word import Package, blocks


def parse(content: bytes) -> Iterator[Block]:
    """Page headers, then paragraphs, list items and table rows under their headings, then page footers and notes."""
    with opened(content, ".docx") as archive:
        yield from blocks(Package(archive))
