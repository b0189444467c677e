"""Reads plain text. Markup is read as HTML, whatever the file's name."""

import re
from collections.abc import Iterator

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse import html
from retrieval.ingest.parse.clean import paragraphs
from retrieval.ingest.parse.encoding import decoded

_MARKUP = re.compile(rb"\s*(?:<!--.{0,1000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


def parse(content: bytes) -> Iterator[Block]:
    if _MARKUP.match(content):
        return html.parse(content)
    return (Block("", text) for text in paragraphs(decoded(content)))
