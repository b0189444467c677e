"""Finds the parser for a file name. Parsers are imported on use: most documents need only one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block

Parser = Callable[[bytes], Iterable[Block]]


@dataclass(frozen=True)
class Reader:
    """`convert` may start a program; `parse` may not. The former gets the languages of scans, too."""

    parse: Parser
    convert: Callable[[bytes, str], bytes]


_MODULES = {
    ".txt": "plain",
    ".text": "plain",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".doc": "doc",
    ".odt": "odt",
    ".rtf": "rtf",
    ".pptx": "pptx",
    ".xlsx": "xlsx",
    ".csv": "csv_table",
    ".tsv": "csv_table",
}

MODULES = tuple(f"{__package__}.{name}" for name in dict.fromkeys(_MODULES.values()))


def supported(name: str) -> bool:
    return PurePath(name).suffix.lower() in _MODULES


def reader_for(name: str) -> Reader:
    """The reader for a file name; `DocumentError` (Unsupported) lists the supported formats."""
    suffix = PurePath(name).suffix.lower()
    if not supported(name):
        raise unsupported(suffix)
    module = import_module(f"{__package__}.{_MODULES[suffix]}")
    return Reader(module.parse, getattr(module, "convert", _unchanged))


def _unchanged(content: bytes, _languages: str) -> bytes:
    return content


def unsupported(suffix: str) -> DocumentError:
    listed = ", ".join(_MODULES)
    return DocumentError(reasons.UNSUPPORTED, f"files named *{suffix} are not read: use one of {listed}")
