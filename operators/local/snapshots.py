"""The file that gateways read and `quiver get` shows: replaced whole, never written in place."""

import os
from pathlib import Path

from pydantic import ValidationError

from operators.api.snapshot import Snapshot


def write(path: Path, snapshot: Snapshot) -> None:
    text = snapshot.model_dump_json(by_alias=True, exclude_none=True)
    staged = path.with_suffix(".tmp")
    with staged.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staged.rename(path)


def read(path: Path) -> Snapshot:
    """The last run's, or an empty one where there is none that can be read."""
    try:
        return Snapshot.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return Snapshot()


def keep_unreadable(path: Path) -> Path | None:
    """Before a run replaces it: a snapshot that another release wrote is put aside, with what it knew of versions and
    rollbacks. Where it lies then, None where there was nothing to put aside."""
    try:
        Snapshot.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        return path.rename(path.with_suffix(".unreadable"))
    return None
