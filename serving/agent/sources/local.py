"""Directories of this machine: below the roots of file://, or on a mounted volume. Blocks: call from a thread."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.sources.contents import absence
from serving.agent.sources.part import Part
from serving.agent.sources.policy import Policy
from serving.agent.sources.uri import LocalSource, VolumeSource
from serving.agent.verify import FILES

_BLOCK = 1024 * 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# A FIFO would block the open for ever.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def locate(source: LocalSource | VolumeSource, name: str, policy: Policy) -> tuple[Path, Path]:
    """The directory that is meant, and the root that it must not leave. Raises RefusedError."""
    if isinstance(source, VolumeSource):
        if policy.volumes is None:
            raise RefusedError("SourceUnsupported", f"{name}: no volumes are mounted here; use another kind of source")
        root = policy.volumes / source.claim
        return root / source.path, root
    roots = [root for root in policy.file_roots if source.path.is_relative_to(root)]
    if not roots:
        allowed = " or ".join(map(str, policy.file_roots)) or "no directory"
        raise RefusedError("SourceOutside", f"{name} is not below {allowed}, which file:// may name; move the adapter")
    return Path(source.path), roots[0]


def copy(directory: Path, root: Path, name: str, parts: dict[str, Part], room: int, go_on: Callable[[], bool]) -> None:
    """Both files into their parts. Leaves off when `go_on` says so.

    Links may be followed inside the root; from there on none is: the directory is opened part by part, so that nothing
    can be exchanged between the check and the use. Raises RefusedError, UnavailableError and OSError (the disk's).
    """
    with _opened(directory, root, name) as descriptor, ExitStack() as stack:
        refusal = absence(name, os.listdir(descriptor))  # noqa: PTH208 (a descriptor is no path)
        if refusal:
            raise refusal
        files = {file: stack.enter_context(_open_regular(descriptor, file, name)) for file in FILES}
        before = {file: _identity(os.fstat(files[file].fileno())) for file in FILES}
        for file in FILES:
            if not go_on():  # the directory of the parts may be another attempt's by now
                return
            room -= _copy_file(files[file], parts[file], name, room, go_on)
        if before != {file: _identity(_status(descriptor, file)) for file in FILES}:
            raise UnavailableError("SourceChanging", f"{name} changed while it was copied; it is tried again")


@contextmanager
def _opened(directory: Path, root: Path, name: str) -> Iterator[int]:
    try:
        real, top = directory.resolve(strict=True), root.resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(name) from error
    except RuntimeError as error:  # links in a circle
        raise _outside(name) from error
    if not real.is_relative_to(top):
        raise _outside(name)
    descriptor = os.open(top, _DIRECTORY)
    try:
        for step in real.relative_to(top).parts:
            below = _step(descriptor, step, name)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _step(descriptor: int, step: str, name: str) -> int:
    try:
        return os.open(step, _DIRECTORY, dir_fd=descriptor)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise _missing(name) from error
        raise


def _missing(name: str) -> RefusedError:
    return RefusedError("SourceMissing", f"{name} is not a directory; correct spec.source, or put the adapter there")


def _outside(name: str) -> RefusedError:
    return RefusedError("SourceOutside", f"{name} leads out of its volume by a link; copy the directory itself")


def _open_regular(directory: int, file: str, name: str) -> BinaryIO:
    try:
        descriptor = os.open(file, _FILE, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RefusedError("NotARegularFile", f"{name}: {file} is a symbolic link; copy the file itself") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RefusedError("NotARegularFile", f"{name}: {file} is not a regular file; put the file itself there")
    return os.fdopen(descriptor, "rb")


def _copy_file(reader: BinaryIO, part: Part, name: str, room: int, go_on: Callable[[], bool]) -> int:
    size = 0
    with part.start("", None) as writer:
        while go_on() and (block := reader.read(_BLOCK)):
            size += len(block)
            if size > room:
                raise RefusedError(
                    "TooLarge", f"{name}: {part.name} takes the artifact over its limit; make it smaller"
                )
            writer.write(block)
    return size


def _status(directory: int, file: str) -> os.stat_result | None:
    """By name: a file that was replaced is another one, while the one that was read is as it was."""
    try:
        return os.stat(file, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result | None) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns) if status else ()
