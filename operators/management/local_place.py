"""A directory of `quiver up` as the place of objects: its files, and the snapshot that the run publishes."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from contract.adapter import Decision
from contract.api_key import APIKey
from contract.resource import Key
from contract.snapshot import Snapshot
from contract.snapshot_reader import SnapshotReader
from operators.local import decisions, object_files
from operators.local.directory import STATE
from operators.local.object_files import SharedFileError
from operators.management.place import Action
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

    async def add_key(self, item: APIKey) -> None:
        """Nothing stays of a key that is not in force in time: nobody has it."""
        if any(key.key == item.key for key in (await self.snapshot()).objects.api_keys):
            raise ConflictError(f"There is a key {item.name} already: choose another name.")
        path = await asyncio.to_thread(self._write, item)
        try:
            await self._until(lambda digests: item.spec.sha256 in digests, f"The key {item.name} was not accepted")
        except UnavailableError:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise

    async def remove_key(self, item: APIKey) -> None:
        await asyncio.to_thread(self._remove, item)
        await self._until(
            lambda digests: item.spec.sha256 not in digests, f"The key {item.name} is removed, and not refused yet"
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

    async def _until(self, holds: Callable[[frozenset[str]], bool], otherwise: str) -> None:
        """Of the digests of all keys that the run has published. Raises UnavailableError."""
        deadline = time.monotonic() + TAKEN_UP_S
        while not holds(frozenset(key.spec.sha256 for key in (await self.snapshot()).objects.api_keys)):
            if time.monotonic() > deadline:
                raise UnavailableError(f"{otherwise}: see whether quiver up runs.")
            await asyncio.sleep(_LOOK_S)

    def _write(self, item: APIKey) -> Path:
        """The file. Raises ConflictError and UnavailableError."""
        path = self._root / f"key-{item.namespace}.{item.name}.yaml"  # names hold no dot
        try:
            object_files.write(path, item)
        except FileExistsError as error:
            raise ConflictError(f"There is a key {item.name} already: choose another name.") from error
        except OSError as error:
            raise UnavailableError(f"{path.name} cannot be written ({error.strerror}): no key was made.") from error
        return path

    def _remove(self, item: APIKey) -> None:
        """Raises ConflictError and UnavailableError."""
        try:
            object_files.remove(self._root, item.key)
        except SharedFileError as error:
            raise ConflictError(f"{error} has other objects, too: its author must take the key out of it.") from error
        except OSError as error:
            raise UnavailableError(f"The key's file stays ({error.strerror}): the key is still valid.") from error
