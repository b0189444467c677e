"""The revision of an adapter's source: it changes with the spec, and with the files of a local source."""

import hashlib
import os
from collections.abc import Iterator

from contract.adapter import Adapter
from operators.desired.adapters import source_revision


def revision(adapter: Adapter) -> str:
    """From the URI, pin and base model; for a local directory also from the names, sizes, times and inodes in it."""
    source, named = adapter.spec.source, source_revision(adapter)
    if source is None or not source.startswith("/"):
        return named
    facts = hashlib.sha256(named.encode())
    for part in _facts(os.fsencode(source)):
        facts.update(part)
    return f"files:{facts.hexdigest()[:16]}"


def _facts(directory: bytes) -> Iterator[bytes]:
    """As bytes, because file names are bytes. An unreadable entry counts too."""
    try:
        with os.scandir(directory) as entries:
            sorted_entries = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield str(error.errno).encode()
        return
    for entry in sorted_entries:
        yield b"%s\0%s\n" % (entry.name, _fact(entry))


def _fact(entry: "os.DirEntry[bytes]") -> bytes:
    try:
        status = entry.stat(follow_symlinks=True)
    except OSError as error:
        return str(error.errno).encode()
    return f"{status.st_size}\0{status.st_mtime_ns}\0{status.st_dev}\0{status.st_ino}".encode()
