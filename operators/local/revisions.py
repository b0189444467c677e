"""A word for what an adapter's source may hold, which changes whenever that may be something else."""

import hashlib
from pathlib import Path

from operators.api.adapter import Adapter


def revision(adapter: Adapter) -> str:
    """Of a local directory the names, sizes and times of its files; of any other source the object's generation."""
    source = adapter.spec.source
    if not source.startswith("/"):
        return f"generation:{adapter.metadata.generation}"
    facts = hashlib.sha256(f"{source}\0{adapter.spec.digest}\0{adapter.spec.base_model}".encode())
    for fact in _facts(Path(source)):
        facts.update(fact.encode())
    return f"files:{facts.hexdigest()[:16]}"


def _facts(directory: Path) -> list[str]:
    try:
        entries = sorted(directory.iterdir())
    except OSError as error:
        return [str(error.errno)]
    return [_fact(entry) for entry in entries]


def _fact(entry: Path) -> str:
    try:
        found = entry.lstat()
    except OSError as error:
        return f"{entry.name}\0{error.errno}\n"
    return f"{entry.name}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ino}\n"
