"""The worker's memory in one SQLite file: the desired set, and the state of every document.

Several threads may use it; a lock runs one call at a time. Everything in it can be rebuilt from the sources and the
store: the loss of a ledger, or of its last lines by a power loss, costs time, but no documents.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from threading import RLock
from typing import Any, ClassVar

from contract.ingest import DesiredKnowledgeBase, DocumentState
from retrieval.errors import NoSpaceError, RetrievalError
from retrieval.ingest.scan import UPLOAD
from service import database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS knowledge_bases (
    tenant TEXT, name TEXT, spec TEXT NOT NULL, wanted INTEGER NOT NULL, PRIMARY KEY (tenant, name)
);
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, knowledge_base TEXT NOT NULL, source TEXT NOT NULL, path TEXT NOT NULL,
    signature TEXT NOT NULL, digest TEXT NOT NULL, version TEXT NOT NULL, chunks INTEGER NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, attempts INTEGER NOT NULL, due REAL
);
CREATE INDEX IF NOT EXISTS by_knowledge_base ON documents (tenant, knowledge_base);
CREATE INDEX IF NOT EXISTS by_source ON documents (tenant, knowledge_base, source);
CREATE INDEX IF NOT EXISTS by_turn ON documents (tenant, version = '', due) WHERE due IS NOT NULL;
"""


_INSTRUCTED = 1  # the user_version of a file that has received a desired set


class LedgerError(RetrievalError):
    """The file cannot be read or written."""

    status, code = 503, "ledger_unavailable"


@dataclass(frozen=True)
class Document:
    """One file of one source. The fields are the columns, in order."""

    id: str
    tenant: str
    knowledge_base: str
    source: str
    path: str  # relative to the source
    signature: str  # of the file at the last scan
    digest: str = ""  # SHA-256 of the content that was read last
    version: str = ""  # of the chunks in the store, or of a refusal; empty if the store is not known to have any
    chunks: int = 0
    state: DocumentState = DocumentState.PENDING
    reason: str = ""
    message: str = ""
    attempts: int = 0  # consecutive failures
    due: float | None = None  # when to work on it, seconds since the epoch; None: nothing to do

    @property
    def is_upload(self) -> bool:
        return self.source.startswith(UPLOAD)


_AT_ONCE = 500  # values in one query
_COLUMNS = ", ".join(field.name for field in fields(Document))
_STATE = [field.name for field in fields(Document)].index("state")
_MARKS = ", ".join("?" for _ in fields(Document))


@dataclass(frozen=True)
class Counts:
    """Documents of a knowledge base."""

    in_folders: int
    ready: int
    failed: int


class Ledger:
    """Open it once per process. `changed` is called after every write."""

    _DISK_FULL: ClassVar = (
        sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_FSYNC,
    )  # fmt: skip

    def __init__(self, path: Path, changed: Callable[[], None] = lambda: None) -> None:
        self._path, self._changed, self._lock = path, changed, RLock()
        with self._translated():
            self._connection = database.opened(path, _SCHEMA, isolation=None, survives_power_loss=False)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def set_desired(self, listed: Iterable[DesiredKnowledgeBase]) -> None:
        """Make this the desired set; knowledge bases that are missing in it are to be deleted."""
        with self._writes() as connection:
            connection.execute(f"PRAGMA user_version = {_INSTRUCTED}")
            connection.execute("UPDATE knowledge_bases SET wanted = 0")
            connection.executemany(
                "INSERT OR REPLACE INTO knowledge_bases VALUES (?, ?, ?, 1)",
                [(each.tenant, each.name, each.model_dump_json()) for each in listed],
            )

    def desired(self) -> list[DesiredKnowledgeBase]:
        return self._specs(1)

    def leaving(self) -> list[DesiredKnowledgeBase]:
        return self._specs(0)

    def has_desired_set(self) -> bool:
        """True if a desired set was ever received; until then, an empty set does not mean that none is desired."""
        return bool(self._rows("PRAGMA user_version")[0][0] == _INSTRUCTED)

    def desired_of(self, tenant: str) -> frozenset[str]:
        """The names of a tenant's knowledge bases in the desired set."""
        rows = self._rows("SELECT name FROM knowledge_bases WHERE tenant = ? AND wanted = 1", tenant)
        return frozenset(name for (name,) in rows)

    def documents(self, tenant: str, knowledge_base: str) -> list[Document]:
        return self._documents("tenant = ? AND knowledge_base = ? ORDER BY path, source", tenant, knowledge_base)

    def document(self, document_id: str) -> Document | None:
        return next(iter(self._documents("id = ?", document_id)), None)

    def chunks(self, tenant: str, knowledge_base: str) -> int:
        """Chunks of all documents of a knowledge base."""
        total = "SELECT coalesce(sum(chunks), 0) FROM documents WHERE tenant = ? AND knowledge_base = ?"
        return int(self._rows(total, tenant, knowledge_base)[0][0])

    def of_sources(self, tenant: str, knowledge_base: str, sources: Sequence[str]) -> list[Document]:
        """The documents of these sources."""
        documents: list[Document] = []
        for start in range(0, len(sources), _AT_ONCE):
            part = sources[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(part))
            condition = f"tenant = ? AND knowledge_base = ? AND source IN ({marks})"
            documents += self._documents(condition, tenant, knowledge_base, *part)
        return documents

    def in_folders(self, tenant: str, knowledge_base: str) -> list[Document]:
        """The documents that are no uploads."""
        return self._documents("tenant = ? AND knowledge_base = ? AND source < ?", tenant, knowledge_base, UPLOAD)

    def states(self, tenant: str, knowledge_base: str, given_up: int) -> Counts:
        """Documents by what has become of them; one that failed counts after `given_up` failures in a row."""
        failed = "state = 'Failed' AND (due IS NULL OR attempts >= ?)"
        query = (
            "SELECT coalesce(sum(source < ?), 0), coalesce(sum(state = 'Ready'), 0), "  # noqa: S608 - constants
            f"coalesce(sum({failed}), 0) FROM documents WHERE tenant = ? AND knowledge_base = ?"
        )
        return Counts(*self._rows(query, UPLOAD, given_up, tenant, knowledge_base)[0])

    def of_source(self, tenant: str, knowledge_base: str, source: str) -> Document | None:
        """The document of a source that has only one."""
        return next(iter(self.of_sources(tenant, knowledge_base, [source])), None)

    def next(
        self,
        now: float,
        after_tenant: str,
        busy: frozenset[str] = frozenset(),
        in_work: frozenset[str] = frozenset(),
    ) -> Document | None:
        """The next due document that is not `in_work`, of a tenant that is not `busy`. Tenants take turns, from the one
        after `after_tenant`; a document that is answered from comes before new ones, the longest due before others."""
        busy_marks, in_work_marks = (", ".join("?" * len(each)) for each in (busy, in_work))
        free = f"tenant NOT IN ({busy_marks}) AND id NOT IN ({in_work_marks})"
        turn = f"due <= ? AND tenant {{}} ? AND {free} ORDER BY tenant, version = '', due, id LIMIT 1"
        for compared in (">", "<="):
            if due := self._documents(turn.format(compared), now, after_tenant, *busy, *in_work):
                return due[0]
        return None

    def next_due(self) -> float | None:
        """When the next document is due, seconds since the epoch."""
        due: float | None = self._rows("SELECT min(due) FROM documents")[0][0]
        return due

    def is_due(self, tenant: str, knowledge_base: str, now: float) -> bool:
        """True if a document of the knowledge base is due now."""
        condition = "tenant = ? AND knowledge_base = ? AND due <= ?"
        rows = self._rows(f"SELECT 1 FROM documents WHERE {condition} LIMIT 1", tenant, knowledge_base, now)  # noqa: S608 - a constant
        return bool(rows)

    def put(self, *documents: Document) -> None:
        with self._writes() as connection:
            rows = [astuple(document) for document in documents]
            connection.executemany(f"INSERT OR REPLACE INTO documents ({_COLUMNS}) VALUES ({_MARKS})", rows)  # noqa: S608 - names of the dataclass

    def remove(self, document_id: str) -> None:
        with self._writes() as connection:
            connection.execute("DELETE FROM documents WHERE id = ?", (document_id,))

    def forget(self, tenant: str, knowledge_base: str) -> None:
        """Remove a knowledge base and its documents from the ledger, unless it is desired again."""
        with self._writes() as connection:
            key = (tenant, knowledge_base)
            is_desired = "SELECT 1 FROM knowledge_bases WHERE tenant = ?1 AND name = ?2 AND wanted = 1"
            connection.execute(
                f"DELETE FROM documents WHERE tenant = ?1 AND knowledge_base = ?2 AND NOT EXISTS ({is_desired})",  # noqa: S608 - a constant
                key,
            )
            connection.execute("DELETE FROM knowledge_bases WHERE tenant = ? AND name = ? AND wanted = 0", key)

    def _specs(self, desired: int) -> list[DesiredKnowledgeBase]:
        query = "SELECT spec FROM knowledge_bases WHERE wanted = ? ORDER BY tenant, name"
        return [DesiredKnowledgeBase.model_validate_json(spec) for (spec,) in self._rows(query, desired)]

    def _documents(self, condition: str, *values: object) -> list[Document]:
        rows = self._rows(f"SELECT {_COLUMNS} FROM documents WHERE {condition}", *values)  # noqa: S608 - constants above
        return [Document(*[*row[:_STATE], DocumentState(row[_STATE]), *row[_STATE + 1 :]]) for row in rows]

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._translated(), self._lock:
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _writes(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with self._translated(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk rolls back by itself
                    self._connection.execute("ROLLBACK")
                raise
        self._changed()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in self._DISK_FULL:
                raise NoSpaceError(f"The ledger {self._path} has no disk left ({error}): free space.") from error
            raise LedgerError(
                f"The ledger {self._path} cannot be used ({error}): check the file or move it."
            ) from error
