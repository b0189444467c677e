"""Hints about changed files: object files, and local artifacts named by them.

A hint only speeds things up. Regular checks detect changes in any case.
"""

import asyncio
import logging
import stat
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from watchfiles import Change, awatch

from contract.objects import Objects
from operators.local.directory import SUFFIXES

logger = logging.getLogger(__name__)

# An editor writes a file in several steps: changes this close together are one edit.
_STEP_MS = 10
_DEBOUNCE_MS = 400
# Between checks of the watched paths.
_LOOK_MS = 2000
# Seconds before a failed watch is opened again; meanwhile only the regular checks find changes.
REOPEN_S = 5.0


def artifacts(objects: Objects) -> frozenset[Path]:
    """The local adapter directories, whether they exist or not."""
    sources = (adapter.spec.source for adapter in objects.adapters)
    return frozenset(Path(source) for source in sources if source and source.startswith("/"))


async def watch(root: Path, sources: Callable[[], frozenset[Path]], hint: Callable[[], None]) -> None:
    """Calls `hint` for relevant edits, until cancelled. After each edit the paths to watch are read again."""
    while True:
        try:
            await _watch_once(root, sources, hint)
        except Exception as error:  # a watched path is gone, or the system has no watches left: both may pass
            logger.warning("%s cannot be watched, edits are noticed up to a second later: %s", root, error)
            await asyncio.sleep(REOPEN_S)


async def _watch_once(root: Path, sources: Callable[[], frozenset[Path]], hint: Callable[[], None]) -> None:
    """Returns once a watched path leads to another directory: a watch stays on the one it was opened on."""
    watched = await asyncio.to_thread(identities, root, sources())
    matters = _ChangeFilter(root, sources())
    paths = (identity.path for identity in watched)
    opened = awatch(*paths, watch_filter=matters, step=_STEP_MS, debounce=_DEBOUNCE_MS,
                    rust_timeout=_LOOK_MS, yield_on_timeout=True, recursive=False)  # fmt: skip
    async with aclosing(opened):
        changes = asyncio.ensure_future(anext(opened))
        await asyncio.sleep(0)  # the watch is open from here on
        hint()  # for edits while there was none
        while True:
            if await changes:
                hint()
            if await asyncio.to_thread(identities, root, sources()) != watched:
                hint()
                return
            changes = asyncio.ensure_future(anext(opened))


@dataclass(frozen=True)
class Identity:
    """A directory: its path, and what identifies it on the disk."""

    path: Path
    device: int
    inode: int


def identities(root: Path, sources: Iterable[Path]) -> frozenset[Identity]:
    """The directories to watch: that of the objects, each artifact, and each one where an artifact may appear."""
    paths = {root, *sources, *(_nearest(source.parent) for source in sources)}
    all_identities = (_identity(path) for path in paths)
    return frozenset(identity for identity in all_identities if identity)


def _nearest(path: Path) -> Path:
    """The path, or the first existing directory above it."""
    return next((parent for parent in (path, *path.parents) if _identity(parent)), Path("/"))


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return Identity(path, status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


class _ChangeFilter:
    """A filter of changes: passes object files, files in an artifact, and directories on an artifact's path."""

    def __init__(self, root: Path, sources: frozenset[Path]) -> None:
        self._root = root
        self._sources = sources
        self._through = {path for source in sources for path in (source, *source.parents)}

    def __call__(self, change: Change, changed: str) -> bool:
        path = Path(changed)
        objects = path.parent == self._root and path.suffix in SUFFIXES
        return objects or path in self._through or path.parent in self._sources
