"""The processes' logs: reads the ends of them, and limits their size."""

import os
import shutil
from pathlib import Path

MOST_BYTES = 16 * 1024**2  # for one log; about as much older text is kept beside it


def last_line(log: Path) -> str:
    """The last line that is not empty, from the last 8 KiB; at most 300 characters."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    except OSError:
        return ""
    return next((line for line in reversed(lines) if line), "")[:300]


def tail(log: Path, start: int) -> str:
    """The text since byte `start`, at most its last 256 KiB."""
    try:
        with log.open("rb") as file:
            size = log.stat().st_size
            file.seek(max(start if start <= size else 0, size - 256 * 1024))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def trim(logs: Path, most_bytes: int = MOST_BYTES) -> None:
    """Moves the content of a full log aside. Raises OSError.

    The file itself stays, because its process appends to it. Lines written between copying and truncating are lost.
    """
    for log in logs.glob("*.log"):
        if log.stat().st_size > most_bytes:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
