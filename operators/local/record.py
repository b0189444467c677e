"""The durable state of a run: the status of every object, in SQLite beside the objects.

Rollouts, rejections and key holders are kept only here, and in the copy for gateways, `snapshot.json`. If one of the
two is lost, it is rebuilt from the other.
"""

import logging
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from contract.objects import KINDS
from contract.resource import Key, Status
from contract.snapshot import Snapshot
from service import database

logger = logging.getLogger(__name__)

FILE = "record.sqlite"
_SCHEMA = """
create table if not exists statuses (
    kind text not null, namespace text not null, name text not null, status text not null,
    primary key (kind, namespace, name)
);
create table if not exists generation (only integer primary key check (only = 0), value integer not null);
"""


_STATUS: Mapping[str, type[Status]] = {kind.__name__: kind.model_fields["status"].annotation for kind in KINDS}  # type: ignore[misc]


class RecordLostError(Exception):
    """The message names the lost state and the remedy."""


class Record:
    """Statuses by object. Every write is on the disk when it returns."""

    def __init__(self, path: Path) -> None:
        """A damaged file is put aside. Raises sqlite3.OperationalError."""
        self._path = path
        self._connection = database.opened(path, _SCHEMA)
        self._identity = _identity(path)
        self._written = self._texts()
        row = self._connection.execute("select value from generation").fetchone()
        self.generation = int(row[0]) if row else 0
        """The number of the last published snapshot."""

    def close(self) -> None:
        self._connection.close()

    @property
    def is_empty(self) -> bool:
        return not self._written

    @property
    def is_readable(self) -> bool:
        try:
            self.statuses()
        except RecordLostError:
            return False
        return True

    def statuses(self) -> dict[Key, Status]:
        """Raises RecordLostError for an unreadable status: skipping it would forget a decision."""
        return {key: _status(key, text) for key, text in self._written.items()}

    def write(self, statuses: Mapping[Key, Status], generation: int) -> None:
        """Writes all statuses; unchanged ones are skipped. A file removed or damaged meanwhile is written anew.

        Raises sqlite3.Error if the disk is full or read-only.
        """
        texts = {key: status.model_dump_json(by_alias=True, exclude_none=True) for key, status in statuses.items()}
        if _identity(self._path) != self._identity:
            self._begin_anew("was removed or replaced")
        try:
            self._write(texts, generation)
        except sqlite3.OperationalError:
            raise  # the disk is full or read-only
        except sqlite3.DatabaseError as error:
            self._begin_anew(f"was damaged ({error})")
            self._write(texts, generation)

    def _write(self, texts: dict[Key, str], generation: int) -> None:
        changed = [(*_row(key), text) for key, text in texts.items() if self._written.get(key) != text]
        gone = [_row(key) for key in self._written.keys() - texts.keys()]
        with self._connection as transaction:
            transaction.executemany("delete from statuses where (kind, namespace, name) = (?, ?, ?)", gone)
            transaction.executemany("insert or replace into statuses values (?, ?, ?, ?)", changed)
            transaction.execute("insert or replace into generation values (0, ?)", (generation,))
        self._written, self.generation = texts, generation

    def _begin_anew(self, why: str) -> None:
        logger.error("%s %s while it was in use; everything is written to it once more", self._path, why)
        self._connection.close()
        database.put_aside(self._path)
        self._connection = database.opened(self._path, _SCHEMA)
        self._identity = _identity(self._path)
        self._written = {}

    def _texts(self) -> dict[Key, str]:
        rows = self._connection.execute("select kind, namespace, name, status from statuses")
        return {Key(kind=kind, namespace=namespace or None, name=name): text for kind, namespace, name, text in rows}


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _status(key: Key, text: str) -> Status:
    try:
        return _STATUS[key.kind].model_validate_json(text)
    except (ValidationError, KeyError) as error:
        raise RecordLostError(
            f"the recorded status of {key} cannot be read by this release; start the release that wrote it, or start "
            "with --begin-anew, which releases what the sources hold now"
        ) from error


def _row(key: Key) -> tuple[str, str, str]:
    return key.kind, key.namespace or "", key.name


def opened(state: Path, snapshot: Path, *, begin_anew: bool = False) -> Record:
    """The record of `state`. A damaged or missing one is rebuilt from the last snapshot.

    Raises RecordLostError if both are lost after an earlier run: rolled-back versions would be released again, and keys
    could change hands. `begin_anew` puts an unreadable record aside, and allows an empty one.
    """
    path = state / FILE
    record = Record(path)
    if begin_anew and not record.is_readable:
        record.close()
        logger.warning("%s is kept as %s", path, database.put_aside(path))
        record = Record(path)
    if not record.is_empty:
        return record
    last = _last(snapshot)
    if last is not None:
        logger.error("%s was lost; it is made again from %s", path, snapshot)
        record.write({item.key: item.status for item in last.objects.all}, last.generation)
    elif _has_run(state) and not begin_anew:
        record.close()
        path.unlink()
        raise RecordLostError(
            f"{path} and {snapshot} are lost or unreadable: which versions were released, taken back or rolled back is "
            "not recorded any more. Put a copy of either in its place; or start with --begin-anew, which releases what "
            "the sources hold now and lets keys belong to whoever has them in a file"
        )
    return record


def _last(snapshot: Path) -> Snapshot | None:
    try:
        return Snapshot.model_validate_json(snapshot.read_bytes())
    except (OSError, ValidationError):
        return None


def _has_run(state: Path) -> bool:
    """An agent's store is evidence of an earlier run."""
    store = state / "store"
    return store.is_dir() and any(entry.is_dir() for entry in store.iterdir())
