"""Following a directory of objects, and the local artifacts that they name."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from watchfiles import Change, awatch

from operators.api.objects import Objects
from operators.local.directory import STATE, SUFFIXES

# An editor writes a file in several steps: what lies this close together is one edit.
_STEP_MS = 50
_DEBOUNCE_MS = 400


def artifacts(objects: Objects) -> frozenset[Path]:
    """Local adapter directories. One that does not exist yet is watched from its parent."""
    sources = (Path(a.spec.source) for a in objects.adapters if a.spec.source.startswith("/"))
    return frozenset(path if path.is_dir() else path.parent for path in sources)


async def changes(root: Path, watched: Callable[[], frozenset[Path]]) -> AsyncIterator[None]:
    """Once for every edit that may matter. What is watched is asked again after each."""
    while True:
        paths = frozenset(path for path in watched() if path.is_dir())
        matters = _Matters(root, paths)
        async for _ in awatch(root, *paths, watch_filter=matters, step=_STEP_MS, debounce=_DEBOUNCE_MS):
            yield
            if frozenset(path for path in watched() if path.is_dir()) != paths:
                break


class _Matters:
    """Object files, and anything within an artifact; nothing of what a run writes itself."""

    def __init__(self, root: Path, artifacts: frozenset[Path]) -> None:
        self._state = str(root / STATE)
        self._artifacts = tuple(f"{path}/" for path in artifacts)

    def __call__(self, change: Change, path: str) -> bool:
        if path.startswith(self._state):
            return False
        return path.endswith(SUFFIXES) or f"{path}/".startswith(self._artifacts)
