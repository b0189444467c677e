"""Small files, always replaced as a whole."""

import os
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """Readers see the old text or the new one; the new one is on the disk when this returns. Raises OSError."""
    staged = path.with_name(f"{path.name}.tmp")
    with staged.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staged.rename(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """The names in it are on the disk when this returns. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
