"""Content-addressed directories of verified adapters: `<root>/<sha256>/`.

A directory under its digest is complete and verified, and never written again. Incoming files are in
`<root>/incoming/`, one directory for each source.
"""

import errno
import hashlib
import os
import re
import shutil
import stat
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from service.files import sync_directory
from serving.agent import condensed
from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.verify import FILES, Rules, verify

NO_SPACE = "NoSpace"

_BLOCK = 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Store:
    """One agent's store. All methods block, except `holds` and those that return paths: call them from a thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        # Incoming directory → the digest admitted from it. `remove` leaves these alone until `discard`.
        self._reserved: dict[Path, str] = {}
        self._incoming = root / "incoming"
        self._leaving = root / "leaving"
        for remains in (self._incoming, self._leaving):
            shutil.rmtree(remains, ignore_errors=True)
            remains.mkdir(parents=True)
        self.digests = frozenset(path.name for path in root.iterdir() if _DIGEST.fullmatch(path.name))

    def path(self, digest: str) -> Path:
        return self.root / digest

    def engine_path(self, digest: str) -> Path:
        """The engine's path for loading a version."""
        return condensed.path(self.path(digest))

    def holds(self, digest: str) -> bool:
        return digest in self.digests

    def incoming(self, place: str) -> Path:
        """The directory for one fetch. Raises UnavailableError for faults of the disk."""
        path = self._place(place)
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise disk_error(error, self.root) from error
        return path

    def discard(self, place: str) -> None:
        """Ends a fetch: its files are discarded, and a version admitted from it may be removed."""
        shutil.rmtree(self._place(place), ignore_errors=True)
        self._reserved.pop(self._place(place), None)

    def _place(self, place: str) -> Path:
        return self._incoming / hashlib.sha256(place.encode()).hexdigest()[:32]

    def admit(self, incoming: Path, rules: Rules, *, pinned: str | None) -> str:
        """Digest the received files, verify them, publish them. Returns the digest; nothing removes that version before
        `discard`.

        Raises RefusedError for the artifact's faults, and discards the files; raises UnavailableError for the disk's.
        """
        try:
            return self._admit(incoming, rules, pinned)
        except RefusedError:
            shutil.rmtree(incoming, ignore_errors=True)
            raise
        except OSError as error:
            raise disk_error(error, self.root) from error

    def _admit(self, incoming: Path, rules: Rules, pinned: str | None) -> str:
        digest = _digest(incoming)
        if pinned and digest != pinned:
            raise RefusedError("DigestMismatch", f"the content is sha256 {digest}, spec.digest pins {pinned}")
        verify(incoming, rules)
        for path in incoming.iterdir():
            if path.is_dir():  # remains of an interrupted attempt
                shutil.rmtree(path)
            elif path.name not in FILES:
                path.unlink()
        condensed.write(incoming)
        sync_directory(incoming)
        with self._lock:
            self._reserved[incoming] = digest
            self._publish(incoming, digest)
        return digest

    def _publish(self, incoming: Path, digest: str) -> None:
        if self.holds(digest):
            shutil.rmtree(incoming)
            return
        incoming.rename(self.path(digest))
        sync_directory(self.root)
        self.digests |= {digest}

    def check(self, digest: str, rules: Rules) -> bool:
        """True if an old version is still intact; a damaged one is discarded.

        Raises RefusedError if it fails the current rules, and UnavailableError if it is unreadable.
        """
        try:
            actual = _digest(self.path(digest))
        except FileNotFoundError:
            actual = ""
        except OSError as error:
            raise disk_error(error, self.root) from error
        if actual == digest:
            verify(self.path(digest), rules)
            condensed.write(self.path(digest))
            return True
        self.remove(digest)
        return False

    def remove(self, digest: str) -> None:
        """Atomic: a directory under its digest is complete, or does not exist."""
        with self._lock:
            if digest in self._reserved.values():
                return
            target = Path(tempfile.mkdtemp(dir=self._leaving))
            with suppress(FileNotFoundError):
                self.path(digest).rename(target / digest)
            self.digests -= {digest}
        shutil.rmtree(target, ignore_errors=True)


def _digest(directory: Path) -> str:
    """SHA-256 over name, size and SHA-256 of each file, in a fixed order. Also syncs each file to the disk."""
    total = hashlib.sha256()
    for name in FILES:
        with _open_regular(directory / name) as file:
            os.fsync(file.fileno())
            content, size = hashlib.sha256(), 0
            while block := file.read(_BLOCK):
                content.update(block)
                size += len(block)
        total.update(f"{name}\0{size}\0{content.hexdigest()}\n".encode())
    return total.hexdigest()


def _open_regular(path: Path) -> BinaryIO:
    """Opens regular files only, and never blocks on a FIFO."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RefusedError("NotARegularFile", f"{path.name} is a symbolic link; copy the file itself") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RefusedError("NotARegularFile", f"{path.name} is not a regular file")
    return os.fdopen(descriptor, "rb")


def disk_error(error: OSError, root: Path) -> UnavailableError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError(NO_SPACE, f"no space left for adapters in {root}; free space; the fetch is tried again")
    return UnavailableError(
        "ReadFailed", f"the artifact could not be stored: {error.strerror or error}; it is tried again"
    )
