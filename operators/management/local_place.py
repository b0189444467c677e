"""A directory of `quiver up` as the place of objects: its files, and the snapshot that the run publishes."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from contract.adapter import Decision
from contract.objects import Objects
from contract.resource import Key
from contract.snapshot import Snapshot
from contract.snapshot_reader import SnapshotReader
from operators.local import decisions, object_files
from operators.local.directory import STATE
from operators.local.object_files import SharedFileError
from operators.management.place import NOUNS, Action, Own, is_listed
from service.errors import ConflictError, InvalidRequestError, UnavailableError

logger = logging.getLogger(__name__)

TAKEN_UP_S = 15.0  # until a run has read a changed file, on a busy machine
_LOOK_S = 0.05


class LocalPlace:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / STATE / "snapshot.json"
        self._reader = SnapshotReader()
        self._read: tuple[int, Snapshot] = (0, Snapshot())
        self._is_readable = False

    async def snapshot(self) -> Snapshot:
        return await asyncio.to_thread(self._current)

    def _current(self) -> Snapshot:
        """Parsed again only after a change. While the file cannot be read, the last snapshot counts."""
        try:
            changed = self._file.stat().st_mtime_ns
            if changed != self._read[0]:
                self._read = (changed, self._reader.read(self._file.read_bytes()))
            self._is_readable = True
        except FileNotFoundError:
            self._is_readable = False
        except (OSError, ValueError) as error:
            self._is_readable = False
            logger.error("%s cannot be read, the objects before it count: %s", self._file, error)
        return self._read[1]

    async def add(self, item: Own) -> None:
        """An object is taken back if it is not in force in time."""
        if is_listed(item, (await self.snapshot()).objects):
            raise _taken(item)
        path = await asyncio.to_thread(self._write, item)
        try:
            await self._until(partial(is_listed, item), f"The {NOUNS[item.kind]} {item.name} was not accepted")
        except UnavailableError:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise

    async def remove(self, item: Own) -> None:
        await asyncio.to_thread(self._remove, item)
        noun = NOUNS[item.kind]
        await self._until(
            lambda objects: not is_listed(item, objects), f"The {noun} {item.name} is removed, and still in force"
        )

    async def decide(self, adapter: Key, action: Action, *, against: str | None, digest: str | None) -> Decision:
        try:
            write = partial(decisions.write, self._root / STATE, adapter, action, against=against, digest=digest)
            return await asyncio.to_thread(write)
        except ValidationError as error:
            raise InvalidRequestError(f"{digest} is no digest: give 6 to 64 of its hexadecimal digits.") from error
        except OSError as error:
            raise UnavailableError(
                f"The decision cannot be written ({error.strerror}); nothing was decided."
            ) from error

    @property
    def is_complete(self) -> bool:
        return self._is_readable and not self._read[1].problems

    async def fault(self) -> str:
        has_run = await asyncio.to_thread(self._file.exists)
        return "" if has_run else f"{self._root} has never run: start it with quiver up"

    async def _until(self, holds: Callable[[Objects], bool], otherwise: str) -> None:
        """Of the published objects. Raises UnavailableError."""
        deadline = time.monotonic() + TAKEN_UP_S
        while not holds((await self.snapshot()).objects):
            if time.monotonic() > deadline:
                raise UnavailableError(f"{otherwise}: see whether quiver up runs.")
            await asyncio.sleep(_LOOK_S)

    def _write(self, item: Own) -> Path:
        """The file. Raises ConflictError and UnavailableError."""
        path = object_files.path_of(self._root, item)
        try:
            object_files.write(path, item)
        except FileExistsError as error:
            raise _taken(item) from error
        except OSError as error:
            message = f"{path.name} cannot be written ({error.strerror}): no {NOUNS[item.kind]} was made."
            raise UnavailableError(message) from error
        return path

    def _remove(self, item: Own) -> None:
        """Raises ConflictError and UnavailableError."""
        noun = NOUNS[item.kind]
        try:
            object_files.remove(self._root, item.key)
        except SharedFileError as error:
            message = f"{error} has other objects, too: its author must take the {noun} out of it."
            raise ConflictError(message) from error
        except OSError as error:
            raise UnavailableError(
                f"The file of the {noun} stays ({error.strerror}), and so does the {noun}."
            ) from error


def _taken(item: Own) -> ConflictError:
    return ConflictError(f"There is a {NOUNS[item.kind]} {item.name} already: choose another name.")
