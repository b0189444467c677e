"""Replaces documents by newer ones: the old one answers until the new one does, and leaves then.

What is to be replaced is recorded when the new file is attached, so it goes on after a crash.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from contract.vector_store import store_id
from retrieval.documents import attachments
from retrieval.documents.database import Database
from retrieval.documents.deletion_proofs import DeletionProofs
from retrieval.documents.entries import Entry
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.tables import replacements
from retrieval.documents.uploaded_files import UploadedFiles
from retrieval.documents.vector_stores import Key, VectorStore
from retrieval.errors import NotFoundError, RetrievalError
from service.changes import Changes

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 30.0  # for a change of the worker's progress


@dataclass(frozen=True)
class Replacements:
    database: Database
    library: StoreLibrary
    files: UploadedFiles
    proofs: DeletionProofs

    def add(self, store: VectorStore, new_id: str, old_ids: Sequence[str]) -> None:
        """Recorded once, however often a request is repeated. Files that are not in the store are left out: somebody
        else may have replaced them meanwhile. A file that was to leave, and is attached again, stays."""
        with self.database.writes() as connection:
            connection.execute(delete(replacements).where(_in(store.key) & (replacements.c.old_id == new_id)))
            for old_id in old_ids:
                if old_id != new_id and attachments.get(connection, store.key, old_id) is not None:
                    _add(connection, store.key, new_id, old_id)

    async def follow(self, changes: Changes) -> None:
        """Finishes replacements as their new files get ready, until cancelled."""
        number = 0
        while True:
            try:
                await asyncio.to_thread(self.finish)
            except RetrievalError as error:
                log.warning("%s", error)
            number = await changes.wait_beyond(number, LONGEST_WAIT_S)

    def finish(self) -> None:
        """Takes the old versions of what is ready out. Where a new version has failed, the old one stays."""
        with self.database.reads() as connection:
            rows = connection.execute(select(replacements)).all()
        for row in rows:
            key = (row.tenant, row.knowledge_base)
            entry = self._entry(*key, row.new_id)
            if entry and entry.status == "completed":
                self._leave(key, row.old_id, row.new_id)
            elif entry is None or entry.status in ("failed", "cancelled"):
                self._forget(key, row.new_id)

    def _entry(self, tenant: str, knowledge_base: str, file_id: str) -> Entry | None:
        try:
            return self.library.entry(self.library.get(tenant, store_id(knowledge_base)), file_id)
        except NotFoundError:
            return None

    def _leave(self, key: Key, old_id: str, new_id: str) -> None:
        """Takes the old file out of this store. It is deleted if it is in no other."""
        tenant, knowledge_base = key
        self._hand_over(key, old_id, new_id)
        try:
            if self.files.stores_of(self.files.get(tenant, old_id)) == [store_id(knowledge_base)]:
                self.proofs.prove(self.files.delete(tenant, old_id))
            else:
                self.library.detach(tenant, store_id(knowledge_base), old_id)
        except NotFoundError:  # a person has taken it out meanwhile
            pass
        log.info("%s: %s is replaced in %s", tenant, old_id, knowledge_base)
        with self.database.writes() as connection:
            connection.execute(delete(replacements).where(_in(key) & (replacements.c.old_id == old_id)))

    def _hand_over(self, key: Key, old_id: str, new_id: str) -> None:
        """What the old file was to replace is the new one's to replace: a row leaves with its files."""
        with self.database.writes() as connection:
            older = _in(key) & (replacements.c.new_id == old_id)
            for row in connection.execute(select(replacements).where(older)).all():
                if row.old_id != new_id:
                    _add(connection, key, new_id, row.old_id)

    def _forget(self, key: Key, new_id: str) -> None:
        with self.database.writes() as connection:
            connection.execute(delete(replacements).where(_in(key) & (replacements.c.new_id == new_id)))


def _in(key: Key) -> ColumnElement[bool]:
    return (replacements.c.tenant == key[0]) & (replacements.c.knowledge_base == key[1])


def _add(connection: Connection, key: Key, new_id: str, old_id: str) -> None:
    tenant, knowledge_base = key
    recorded = _in(key) & (replacements.c.new_id == new_id) & (replacements.c.old_id == old_id)
    if connection.execute(select(replacements).where(recorded)).first() is None:
        row = {"old_id": old_id, "new_id": new_id, "tenant": tenant, "knowledge_base": knowledge_base}
        connection.execute(insert(replacements), row)
