"""Lists and reads the files of a source, without following links out of it."""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from retrieval.errors import DocumentError, DocumentUnavailableError, RetrievalError
from retrieval.ingest import reasons
from retrieval.ingest.limits import Limits
from retrieval.store.rows import Attributes

T = TypeVar("T")

UPLOAD = "upload:"  # begins the source of an uploaded file; folders begin with /
MAX_DEPTH = 32  # directories below a source


@dataclass(frozen=True)
class Refusal:
    """Why a file may not be read."""

    reason: str
    message: str


_LEADS_OUT = Refusal(reasons.OUTSIDE_SOURCE, "it is a link that leads out of the source: put the file itself there")
_LEADS_NOWHERE = Refusal(reasons.UNREADABLE, "it is a link that leads back to itself: remove it or correct it")


class SourceError(RetrievalError):
    """A source cannot be read as a whole."""

    code = "source"


@dataclass(frozen=True)
class Upload:
    """An uploaded file. `blob` is the key of its bytes in the object store."""

    file_id: str
    blob: str
    created: int  # seconds since the epoch
    attributes: Attributes


@dataclass(frozen=True)
class File:
    """One file as a scan saw it, or an upload."""

    source: str
    path: str  # relative to the source
    size: int  # bytes
    modified: float  # seconds since the epoch
    signature: str  # changes when the content may have changed
    refused: Refusal | None = None
    upload: Upload | None = None


def scan(source: str, select: Callable[[Iterable[File]], T]) -> T:
    """What `select` takes of the visible files of a source, in no order. Raises `SourceError` if the source does not
    exist, or its path has a link."""
    if not _is_absolute(source):
        raise SourceError(
            f"The source {source!r} is not an absolute path without '..': write it in full, beginning with /."
        )
    path = Path(source)
    try:
        path.lstat()
        folder = _folder(path)
        before = _identity(folder)
        if folder != path and not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "it is a link to a directory, or no file")
        selected = select(_walk(path, path, source, 0) if folder == path else [_file(path, folder, source)])
        after = _identity(folder)
    except (OSError, RuntimeError) as error:  # RuntimeError: a circular link
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"The source {source} cannot be read ({reason}): create it or correct its path.") from error
    if before != after:
        raise SourceError(f"The source {source} was replaced while it was read: it is read again.")
    return selected


def exists(source: str) -> bool:
    """True if the path of a source exists and can be followed."""
    try:
        return _is_absolute(source) and Path(source).exists()
    except OSError:
        return False


def read(file: File, limits: Limits) -> bytes:
    """The bytes of a file. Raises `DocumentError` if it is too large, was refused or may not be read, and
    `DocumentUnavailableError` if it no longer exists or the file system fails."""
    if file.refused:
        raise DocumentError(file.refused.reason, file.refused.message)
    check_size(file.size, limits)
    base = _folder(Path(file.source))
    try:
        target = (base / file.path).resolve(strict=True)
        if not target.is_relative_to(base):
            raise DocumentError(_LEADS_OUT.reason, _LEADS_OUT.message)
        with os.fdopen(_open_below(base, target), "rb") as opened:
            content = opened.read(limits.file_bytes + 1)
    except PermissionError as error:
        raise DocumentError(reasons.UNREADABLE, "it may not be read: permit it to the worker's user") from error
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"it cannot be opened ({reason}): it is tried again; check that it is a file that may be read"
        raise DocumentUnavailableError(reasons.UNREADABLE, message) from error
    check_size(len(content), limits)
    return content


def check_size(size: int, limits: Limits) -> None:
    """Raises `DocumentError` for a file of more bytes than allowed."""
    if size > limits.file_bytes:
        message = f"it has {size:,} bytes, over the limit of {limits.file_bytes:,}: split it"
        raise DocumentError(reasons.TOO_LARGE, message)


def _walk(directory: Path, root: Path, source: str, depth: int) -> Iterator[File]:
    """Linked directories are not entered: their files are either outside, or found at their real path."""
    with os.scandir(directory) as entries:
        visible = [entry for entry in entries if not entry.name.startswith(".")]
    for entry in visible:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if depth < MAX_DEPTH:
                yield from _walk(path, root, source, depth + 1)
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield from _entry(path, root, source)


def _entry(path: Path, root: Path, source: str) -> Iterator[File]:
    """The file; nothing if it is a link to a directory inside the source, or no longer exists."""
    if refused := _refusal(path, root):
        yield File(source, _relative(path, root), 0, 0.0, refused.reason, refused)
        return
    with contextlib.suppress(FileNotFoundError):
        if path.is_file():
            yield _file(path, root, source)


def _refusal(path: Path, root: Path) -> Refusal | None:
    try:
        return None if path.resolve().is_relative_to(root) else _LEADS_OUT
    except (OSError, RuntimeError):
        return _LEADS_NOWHERE


def _file(path: Path, root: Path, source: str) -> File:
    status = path.stat()
    signature = f"{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_size}:{status.st_ino}"
    return File(source, _relative(path, root), status.st_size, status.st_mtime, signature)


def _is_absolute(source: str) -> bool:
    return Path(source).is_absolute() and ".." not in Path(source).parts and "\0" not in source


def _relative(path: Path, root: Path) -> str:
    """The relative path, with undecodable bytes replaced: JSON and the store need valid text."""
    return str(path.relative_to(root)).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _open_below(root: Path, target: Path) -> int:
    """A descriptor of a regular file, opened name by name without following links: a link that is put in its place
    after the check cannot lead out of the source."""
    *directories, name = target.relative_to(root).parts
    directory = _open_directory(root.joinpath(*directories))
    try:
        opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    finally:
        os.close(directory)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise FileNotFoundError(2, "not a regular file")
    return opened


def _open_directory(directory: Path) -> int:
    """A descriptor, opened name by name from / without following links: a directory that was replaced by a link to
    another tenant's directory is not entered."""
    current = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    for name in directory.parts[1:]:
        try:
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=current)
        finally:
            os.close(current)
        current = below
    return current


def _folder(path: Path) -> Path:
    """The directory of a source, or the directory of its file."""
    return path if path.is_dir() and not path.is_symlink() else path.parent


def _identity(directory: Path) -> tuple[int, int]:
    """The device and inode of a directory. Raises OSError if its path has a link."""
    descriptor = _open_directory(directory)
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return status.st_dev, status.st_ino
