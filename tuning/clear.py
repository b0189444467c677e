"""`python -m tuning.clear FOLDER [BEGINNING]`: empties a folder, or removes its entries with this beginning."""

import shutil
import sys
from pathlib import Path


def clear(folder: Path, beginning: str) -> None:
    """A missing folder has nothing in it. Raises OSError if something cannot be removed."""
    for path in sorted(folder.glob(f"{beginning}*")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


if __name__ == "__main__":
    clear(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
