"""The directory that a demo runs in: one run at a time, and what somebody edited there is kept."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from examples.demo.platform import HERE, copy_objects
from operators.local.directory import STATE

# The tour saves version 2 over version 1: its own change is nobody's edit.
_FIRST, _SECOND = b"acme-support-v1", b"acme-support-v2"
# Keys are shown once, by the run that made them.
_KEYS = ("key-acme-demo.yaml", "key-globex-demo.yaml")


class AlreadyRunning(Exception):
    """Somebody runs the directory; the message says which process, and what to do."""


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """One run to a directory, from before it is made until its processes have stopped. Raises AlreadyRunning.

    The lock lies beside the directory, which may be removed while it is held.
    """
    with _locked(root.with_name(f"{root.name}.lock"), root):
        yield


def prepare(root: Path, *, fresh: bool) -> tuple[str, ...]:
    """Make `root` hold the example's objects, and return the names of the edited files that are kept for it.

    Unless `fresh`, a directory with edits is left as it is, but for the demo's own keys. Raises AlreadyRunning.
    """
    kept = () if fresh else edits(root)
    if kept:
        with _runner_locked(root):
            _remove_keys(root)
    else:
        clear(root)
        copy_objects(root)
    return kept


def clear(root: Path) -> None:
    """Remove `root`. Raises AlreadyRunning, with nothing touched, while a `quiver up` runs it."""
    if root.exists():
        with _runner_locked(root):
            shutil.rmtree(root)


def edits(root: Path, source: Path = HERE) -> tuple[str, ...]:
    """The object files and documents of `root` that are not the example's, or are not there any more."""
    if not root.exists():
        return ()
    found, meant = _files(root), _files(source)
    return tuple(sorted(name for name in found.keys() | meant.keys() if found.get(name) != meant.get(name)))


def _files(root: Path) -> dict[str, bytes]:
    own = {root / name for name in _KEYS}
    paths = (*root.glob("*.yaml"), *root.glob("*.yml"), *(root / "documents").rglob("*"))
    return {
        str(path.relative_to(root)): path.read_bytes().replace(_SECOND, _FIRST)
        for path in paths
        if path.is_file() and path not in own
    }


def _remove_keys(root: Path) -> None:
    for name in _KEYS:
        (root / name).unlink(missing_ok=True)


@contextmanager
def _runner_locked(root: Path) -> Iterator[None]:
    """What `quiver up` holds: a run may have been started by hand, or be stopping still after its demo was killed."""
    with _locked(root / STATE / "lock", root):
        yield


@contextmanager
def _locked(path: Path, root: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "end it with Ctrl-C where it was started, or with kill, and try again"
            raise AlreadyRunning(f"{root} is run by {_holders(path)}; {remedy}") from None
        yield


def _holders(path: Path) -> str:
    found = [process for process in psutil.process_iter() if process.pid != os.getpid() and _has_open(process, path)]
    return ", ".join(f"process {process.pid}" for process in found) or "a process of another user"


def _has_open(process: psutil.Process, path: Path) -> bool:
    with suppress(psutil.Error):
        return any(file.path == str(path.resolve()) for file in process.open_files())
    return False
