"""SQLite files that survive kills: a damaged one is renamed and replaced."""

import logging
import sqlite3
import time
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)

Isolation = Literal["DEFERRED"] | None


def opened(
    path: Path, schema: str, *, isolation: Isolation = "DEFERRED", survives_power_loss: bool = True
) -> sqlite3.Connection:
    """A connection for any thread, one call at a time. With `isolation` None the caller manages transactions.
    Without `survives_power_loss`, commits do not wait for the disk, and a power loss takes the last ones.

    A damaged file is kept beside a new, empty one. Raises sqlite3.OperationalError for system faults, as of the disk.
    """
    synchronous = "full" if survives_power_loss else "normal"  # https://sqlite.org/pragma.html#pragma_synchronous
    try:
        return _connected(path, schema, isolation, synchronous)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        logger.error("%s is damaged (%s); it is kept as %s", path, error, put_aside(path))
        return _connected(path, schema, isolation, synchronous)


def put_aside(path: Path) -> Path:
    """Renames the file, and removes its journal. Returns the new path."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    if path.exists():
        path.rename(aside)
    for more in ("-wal", "-shm"):
        path.with_name(path.name + more).unlink(missing_ok=True)
    return aside


def _connected(path: Path, schema: str, isolation: Isolation, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=isolation)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute(f"pragma synchronous = {synchronous}")
        connection.executescript(schema)
        if connection.execute("pragma quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("its pages contradict each other")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
