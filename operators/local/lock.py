"""At most one run for each directory."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from operators.local.directory import STATE
from operators.local.layout import Layout

LOCK = "lock"


class AlreadyRunningError(Exception):
    """Another run has this directory."""


@contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """Two runs in one directory would overwrite each other's state. Raises AlreadyRunningError."""
    layout.logs.mkdir(parents=True, exist_ok=True)
    layout.state.chmod(0o700)  # documents, adapters and tokens of every tenant lie here
    with (layout.state / LOCK).open("w") as lock:
        if not _taken(lock, fcntl.LOCK_EX):
            raise AlreadyRunningError(f"{layout.root} is run by another quiver up; stop that one first")
        yield


def is_running(root: Path) -> bool:
    try:
        with (root / STATE / LOCK).open() as lock:
            return not _taken(lock, fcntl.LOCK_SH)  # unlocked when the file is closed
    except FileNotFoundError:
        return False


def _taken(lock: TextIO, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
