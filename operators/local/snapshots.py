"""The snapshot file for gateways and `quiver get`: replaced whole, never written in place."""

import os
from pathlib import Path

from pydantic import ValidationError

from contract.snapshot import Snapshot
from contract.snapshot_reader import written
from service.files import replace


def write(path: Path, snapshot: Snapshot) -> None:
    """Raises OSError."""
    replace(path, written(snapshot))


def is_intact(path: Path) -> bool:
    """True if the file exists and ends as a snapshot does: parsing a large one would take a second."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 1))
            return file.read() == b"}"
    except OSError:
        return False


def read(path: Path) -> Snapshot:
    """The last published snapshot, or an empty one if it is missing or unreadable."""
    try:
        return Snapshot.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return Snapshot()
