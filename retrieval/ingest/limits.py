"""Upper limits for a document, its parser and its knowledge base."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    file_bytes: int
    characters: int  # of extracted text
    chunks: int  # of one document
    files: int  # of one knowledge base; edits and deletions are followed beyond it
    parse_seconds: int  # of CPU time; the wall-clock limit is several times larger
    parse_memory_bytes: int  # address space of the parser's process
