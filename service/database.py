"""Crash-safe SQLite files: every commit is on disk, and a damaged file is renamed and replaced."""

import logging
import sqlite3
import time
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)

Isolation = Literal["DEFERRED"] | None


def opened(path: Path, schema: str, *, isolation: Isolation = "DEFERRED") -> sqlite3.Connection:
    """A connection for any thread, one call at a time. With `isolation` None the caller manages transactions.

    A damaged file is kept beside a new, empty one. Raises sqlite3.OperationalError for system faults, as of the disk.
    """
    try:
        return _connected(path, schema, isolation)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        logger.error("%s is damaged (%s); it is kept as %s", path, error, put_aside(path))
        return _connected(path, schema, isolation)


def put_aside(path: Path) -> Path:
    """Renames the file, and removes its journal. Returns the new path."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    if path.exists():
        path.rename(aside)
    for more in ("-wal", "-shm"):
        path.with_name(path.name + more).unlink(missing_ok=True)
    return aside


def _connected(path: Path, schema: str, isolation: Isolation) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=isolation)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.executescript(schema)
        if connection.execute("pragma quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("its pages contradict each other")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
