"""file:///DIRECTORY and pvc://CLAIM/DIRECTORY: below this machine's allowed roots, or on a mounted volume."""

import asyncio
import errno
import os
import re
import stat
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.sources.contents import absence
from serving.agent.sources.kind import Fetch, Source
from serving.agent.sources.policy import Policy
from serving.agent.sources.uri import below, invalid

_CLAIM = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_BLOCK = 1024 * 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Without O_NONBLOCK, opening a FIFO would block for ever.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class DirectorySource(Source):
    """A readable directory of this machine."""

    @abstractmethod
    def locate(self, name: str, policy: Policy) -> tuple[Path, Path]:
        """The source's directory, and the root it must not leave. Raises RefusedError."""

    async def fetch(self, fetch: Fetch) -> None:
        """A thread cannot be cancelled, only asked to stop; this waits until it no longer uses its files."""
        directory, root = self.locate(fetch.name, fetch.policy)
        left = threading.Event()
        arguments = (directory, root, fetch.name, fetch.parts, fetch.policy.max_bytes, lambda: not left.is_set())
        copying = asyncio.ensure_future(asyncio.to_thread(copy, *arguments))
        try:
            await asyncio.shield(copying)
        finally:
            left.set()
            await asyncio.wait({copying})


@dataclass(frozen=True)
class LocalSource(DirectorySource):
    schemes = ("file",)
    forms = ("an absolute path", "file://")

    path: PurePosixPath  # absolute, without `.` or `..`

    @classmethod
    def parse(cls, source: str, rest: str) -> Self:
        if not rest.startswith("/"):
            raise invalid(source, "is neither an absolute path nor a URI of a kind that is served here")
        return cls(PurePosixPath("/", below(source, rest)))

    def locate(self, name: str, policy: Policy) -> tuple[Path, Path]:
        roots = [root for root in policy.file_roots if self.path.is_relative_to(root)]
        if not roots:
            allowed = " or ".join(map(str, policy.file_roots)) or "no directory"
            raise RefusedError(
                "SourceOutside", f"{name} is outside the directories allowed for file:// ({allowed}); move the adapter"
            )
        return Path(self.path), roots[0]


@dataclass(frozen=True)
class VolumeSource(DirectorySource):
    schemes = ("pvc",)
    forms = ("pvc://CLAIM/DIRECTORY",)

    claim: str
    path: PurePosixPath  # below the claim

    @classmethod
    def parse(cls, source: str, rest: str) -> Self:
        claim, _, path = rest.partition("/")
        if not _CLAIM.fullmatch(claim) or ".." in claim:
            raise invalid(source, "names no claim; write pvc://CLAIM/DIRECTORY")
        return cls(claim, PurePosixPath(below(source, path)))

    def locate(self, name: str, policy: Policy) -> tuple[Path, Path]:
        if policy.volumes is None:
            raise RefusedError("SourceUnsupported", f"{name}: no volumes are mounted here; use another kind of source")
        root = policy.volumes / self.claim
        return root / self.path, root


def copy(directory: Path, root: Path, name: str, parts: dict[str, Path], room: int, go_on: Callable[[], bool]) -> None:
    """Copies the files into their parts. Stops early when `go_on` returns False.

    Links are followed inside the root only. The directory is opened component by component, so nothing can be replaced
    between check and use. Raises RefusedError, UnavailableError and OSError (the disk's).
    """
    with _opened(directory, root, name) as descriptor, ExitStack() as stack:
        refusal = absence(name, os.listdir(descriptor), parts)  # noqa: PTH208 (a descriptor is not a path)
        if refusal:
            raise refusal
        files = {file: stack.enter_context(_open_regular(descriptor, file, name)) for file in parts}
        before = {file: _identity(os.fstat(files[file].fileno())) for file in parts}
        for file in parts:
            if not go_on():  # another attempt may already use the directory of the parts
                return
            room -= _copy_file(files[file], parts[file], name, room, go_on)
        if before != {file: _identity(_status(descriptor, file)) for file in parts}:
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


def _copy_file(reader: BinaryIO, part: Path, name: str, room: int, go_on: Callable[[], bool]) -> int:
    size = 0
    with part.open("xb") as writer:
        while go_on() and (block := reader.read(_BLOCK)):
            size += len(block)
            if size > room:
                raise RefusedError(
                    "TooLarge", f"{name}: {part.stem} takes the artifact over its limit; make it smaller"
                )
            writer.write(block)
    return size


def _status(directory: int, file: str) -> os.stat_result | None:
    """The status of the file that has this name now: after a replacement it is not the opened file."""
    try:
        return os.stat(file, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result | None) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns) if status else ()
