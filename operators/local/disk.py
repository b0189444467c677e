"""Whether a run can write its state."""

import os
from pathlib import Path


def disk_obstacle(state: Path) -> str:
    """Why nothing can be written into the directory, "" where it can. Raises OSError where it cannot be looked at."""
    facts = os.statvfs(state)
    if facts.f_flag & os.ST_RDONLY:
        return f"{state} cannot be written: its file system is read-only; make it writable"
    if facts.f_bavail == 0 or (facts.f_files and facts.f_favail == 0):
        return f"{state} has no room left: free some on its disk"
    return ""
