"""Finds the parser for a file name. Parsers are imported on use: most documents need only one."""

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import PurePath

from retrieval.errors import DocumentError
from retrieval.ingest import reasons
from retrieval.ingest.chunk import Block

Parser = Callable[[bytes], Iterable[Block]]

_MODULES = {
    ".txt": "plain",
    ".text": "plain",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
}

MODULES = tuple(f"{__package__}.{name}" for name in dict.fromkeys(_MODULES.values()))


def supported(name: str) -> bool:
    return PurePath(name).suffix.lower() in _MODULES


def parser_for(name: str) -> Parser:
    """The `parse` function for a file name; `DocumentError` (Unsupported) lists the supported formats."""
    suffix = PurePath(name).suffix.lower()
    if not supported(name):
        raise unsupported(suffix)
    parser: Parser = import_module(f"{__package__}.{_MODULES[suffix]}").parse
    return parser


def unsupported(suffix: str) -> DocumentError:
    listed = ", ".join(_MODULES)
    return DocumentError(reasons.UNSUPPORTED, f"files named *{suffix} are not read: use one of {listed}")
