"""An object store in a directory: one file for each key."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from retrieval.errors import BlobsError, NoSpaceError
from service.files import sync_directory

_PIECE = 256 * 1024


class Directory:
    """A file is written beside its place and moved there, so a crash leaves no half of it under its key."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: BinaryIO) -> None:
        path = self._path(key)
        staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with self._translated(key):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            sync_directory(self._root)
            try:
                with staged.open("xb") as file:
                    shutil.copyfileobj(content, file, _PIECE)
                    file.flush()
                    os.fsync(file.fileno())
                staged.rename(path)
            except BaseException:
                staged.unlink(missing_ok=True)
                raise
            sync_directory(path.parent)

    def read(self, key: str, most: int) -> bytes | None:
        with self._translated(key):
            try:
                with self._path(key).open("rb") as file:
                    return file.read(most)
            except FileNotFoundError:
                return None

    def pieces(self, key: str) -> Iterator[bytes] | None:
        with self._translated(key):
            try:
                file = self._path(key).open("rb")
            except FileNotFoundError:
                return None
        return _pieces(file)

    def keys(self, *, older_than: float) -> Iterator[str]:
        with self._translated("its files"):
            for path in self._root.glob("*/*"):
                with suppress(FileNotFoundError):  # deleted meanwhile
                    if path.stat().st_mtime < older_than:
                        yield f"{path.parent.name}/{path.name}"

    def delete(self, key: str) -> None:
        path = self._path(key)
        with self._translated(key):
            path.unlink(missing_ok=True)
            if path.exists():
                raise BlobsError(f"{path} is still there after its deletion: it is tried again.")

    def _path(self, key: str) -> Path:
        tenant, _, name = key.partition("/")
        if not tenant or not name or "/" in name or {tenant, name} & {".", ".."}:
            raise BlobsError(f"{key!r} is not the key of a file.")
        return self._root / tenant / name

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoSpaceError(f"The directory {self._root} has no disk left: free space.") from error
            message = f"The object store {self._root} failed at {key} ({error.strerror}): check that it may be written."
            raise BlobsError(message) from error


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
