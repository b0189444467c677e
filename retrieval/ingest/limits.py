"""How far documents are read: upper limits for a document, its parser and its knowledge base, and whether scans are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    file_bytes: int
    characters: int  # of extracted text
    chunks: int  # of one document
    files: int  # of one knowledge base; edits and deletions are followed beyond it
    parse_seconds: int  # of CPU time; the wall-clock limit is several times larger
    parse_memory_bytes: int  # address space of the parser's process
    ocr_languages: str = ""  # as `tesseract` names them, such as eng+kor; scans are not read without
