"""Content-addressed directories of verified adapters: `<root>/<sha256>/`.

A directory under its digest is complete and was verified; it is never written again. What is being copied lies in
`<root>/staging/` and is thrown away at start.
"""

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.verify import FILES, Rules, missing_file, verify

_BLOCK = 1024 * 1024


class Store:
    """`max_bytes` bounds one artifact. All methods block: call them from a thread."""

    def __init__(self, root: Path, *, max_bytes: int) -> None:
        self.root = root
        self.max_bytes = max_bytes
        self._staging = root / "staging"
        shutil.rmtree(self._staging, ignore_errors=True)
        self._staging.mkdir(parents=True)

    def path(self, digest: str) -> Path:
        return self.root / digest

    def holds(self, digest: str) -> bool:
        return self.path(digest).is_dir()

    def admit(self, source: Path, rules: Rules, *, pinned: str | None) -> str:
        """Copy, digest, verify the copy, publish. Returns the digest.

        Only the copy is verified and only the copy is ever loaded, so that nothing can be exchanged in between.
        Raises RefusedError for the artifact's faults and UnavailableError for the disk's.
        """
        refusal = missing_file(source)
        if refusal:
            raise refusal
        staged = Path(tempfile.mkdtemp(dir=self._staging))
        try:
            return self._admit(source, staged, rules, pinned)
        except OSError as error:
            raise _disk_error(error, self.root) from error
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def _admit(self, source: Path, staged: Path, rules: Rules, pinned: str | None) -> str:
        digest = self._copy(source, staged)
        if pinned and digest != pinned:
            raise RefusedError("DigestMismatch", f"the content is sha256 {digest}, spec.digest pins {pinned}")
        verify(staged, rules)
        if not self.holds(digest):
            staged.rename(self.path(digest))
            _sync_directory(self.root)
        return digest

    def _copy(self, source: Path, staged: Path) -> str:
        """Returns the SHA-256 over name, size and SHA-256 of each file, in a fixed order."""
        total = hashlib.sha256()
        room = self.max_bytes
        for name in FILES:
            size, digest = _copy_file(source / name, staged / name, room)
            room -= size
            total.update(f"{name}\0{size}\0{digest}\n".encode())
        _sync_directory(staged)
        return total.hexdigest()


def _copy_file(source: Path, target: Path, room: int) -> tuple[int, str]:
    with _open_regular(source) as reader, target.open("xb") as writer:
        digest, size = hashlib.sha256(), 0
        while block := reader.read(_BLOCK):
            size += len(block)
            if size > room:
                raise RefusedError("TooLarge", f"{source.name} takes the artifact over its limit; make it smaller")
            digest.update(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    return size, digest.hexdigest()


def _open_regular(path: Path) -> BinaryIO:
    """Neither a link nor a pipe, and not waiting for one: a FIFO would block the open for ever."""
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


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _disk_error(error: OSError, root: Path) -> UnavailableError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError("NoSpace", f"no space left for adapters in {root}; free some, it is tried again")
    return UnavailableError(
        "ReadFailed", f"the artifact could not be copied: {error.strerror or error}; it is tried again"
    )
