"""The processes' logs: their last words, and an end to their growth."""

import os
import shutil
from pathlib import Path

MOST_BYTES = 16 * 1024**2  # of one log; as much again is kept of what came before


def last_line(log: Path) -> str:
    """The last line that says something, from the last 8 KiB."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    except OSError:
        return ""
    return next((line for line in reversed(lines) if line), "")[:300]


def tail(log: Path, start: int) -> str:
    """What was written since `start`, in bytes, the last 256 KiB of it."""
    try:
        with log.open("rb") as file:
            size = log.stat().st_size
            file.seek(max(start if start <= size else 0, size - 256 * 1024))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def trim(logs: Path, most_bytes: int = MOST_BYTES) -> None:
    """Moves what a log holds aside once it is full. Raises OSError.

    The file itself stays, since its process writes to it: each write appends, so the next one begins it anew. What is
    written between the copy and the cut is lost.
    """
    for log in logs.glob("*.log"):
        if log.stat().st_size > most_bytes:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
