"""Parses a document, in the parser's process.

The answer is one line of JSON in UTF-8: `{"sections": [[heading, whether these are rows, page, [text, …]], …]}` or
`{"reason": …, "message": …}`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.fence import RefusedError, forbid, limit
from retrieval.ingest.parse.formats import Reader, reader_for

MAX_BLOCKS = 100_000  # of one document


@dataclass(frozen=True)
class Request:
    """A document to parse, and its limits."""

    name: str
    memory_bytes: int
    cpu_seconds: int
    characters: int
    ocr_languages: str = ""


def answer(request: Request, document: BinaryIO) -> bytes:
    """Puts the fence around the calling process for good."""
    try:
        reader = reader_for(request.name)  # before the fence, because some libraries open a socket on import
        limit(memory_bytes=request.memory_bytes, cpu_seconds=request.cpu_seconds)
        return _read(reader, document, request)
    except DocumentError as error:
        return json.dumps({"reason": error.reason, "message": str(error)}).encode()


def _read(reader: Reader, document: BinaryIO, request: Request) -> bytes:
    """The answer with all blocks; any exception of a parser means a bad file."""
    try:
        content = reader.convert(document.read(), request.ocr_languages)
        forbid()
        blocks = _within(reader.parse(content), request.characters)
        written = _written(blocks)
    except DocumentError:
        raise
    except (MemoryError, RecursionError) as error:
        message = f"reading it takes more memory than allowed ({type(error).__name__}): split it"
        raise DocumentError(reasons.TOO_LARGE, message) from error
    except (Exception, RefusedError) as error:
        message = f"it is damaged ({type(error).__name__}: {str(error)[:200]}): save or export it again"
        raise DocumentError(reasons.CORRUPT, message) from error
    if not blocks:
        raise DocumentError(reasons.EMPTY, "it holds no text (a scan has none before text recognition): add text")
    return written


def _within(blocks: Iterable[Block], characters: int) -> list[Block]:
    """The blocks, unless they are too many or too long. A heading counts once for consecutive blocks."""
    kept: list[Block] = []
    left, heading = characters, ""
    for block in blocks:
        left -= len(block.text) + (len(block.heading) if block.heading != heading else 0)
        heading = block.heading
        if left < 0:
            raise DocumentError(reasons.TOO_LARGE, f"it holds more than {characters:,} characters of text: split it")
        if len(kept) == MAX_BLOCKS:
            raise DocumentError(reasons.TOO_LARGE, f"it holds more than {MAX_BLOCKS:,} paragraphs: split it")
        kept.append(block)
    return kept


def _written(blocks: Iterable[Block]) -> bytes:
    """Writes each heading once for its consecutive paragraphs or rows."""
    groups = groupby(blocks, lambda block: (block.heading, block.is_row, block.page))
    sections = [[*shared, [block.text for block in under]] for shared, under in groups]
    return json.dumps({"sections": sections}, ensure_ascii=False).encode("utf-8", "replace")
