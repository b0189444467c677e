"""True if a run can write its state."""

import os
from dataclasses import dataclass
from pathlib import Path

from operators.local.directory import STATE


@dataclass(frozen=True)
class Obstacle:
    fact: str
    remedy: str


def disk_obstacle(root: Path) -> Obstacle | None:
    """Why nothing can be written into the state of a directory of objects. Raises OSError if `root` is gone."""
    state = root / STATE
    directory = state if state.exists() else root
    facts = os.statvfs(directory)
    if facts.f_flag & os.ST_RDONLY or not os.access(directory, os.W_OK):
        return Obstacle(f"{directory} is read-only", "make it writable")
    if facts.f_bavail == 0 or (facts.f_files and facts.f_favail == 0):
        return Obstacle(f"{directory} has no room left", "free some on its disk")
    return None
