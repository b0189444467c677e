"""Replaces documents by newer ones: the old one answers until the new one does, and leaves then.

What is to be replaced is recorded when the new file is attached, so it goes on after a crash.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

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
        else may have replaced them meanwhile."""
        if not old_ids:
            return
        with self.database.writes() as connection:
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
        """Deletes the old versions of what is ready. Where a new version has failed, the old one stays."""
        with self.database.reads() as connection:
            rows = connection.execute(select(replacements)).all()
        for row in rows:
            entry = self._entry(row.tenant, row.knowledge_base, row.new_id)
            if entry and entry.status == "completed":
                self._leave(row.tenant, row.knowledge_base, row.old_id)
            elif entry is None or entry.status in ("failed", "cancelled"):
                self._forget(row.new_id)

    def _entry(self, tenant: str, knowledge_base: str, file_id: str) -> Entry | None:
        try:
            return self.library.entry(self.library.get(tenant, store_id(knowledge_base)), file_id)
        except NotFoundError:
            return None

    def _leave(self, tenant: str, knowledge_base: str, file_id: str) -> None:
        """Takes the old file out of this store. It is deleted if it is in no other."""
        try:
            if self.files.stores_of(self.files.get(tenant, file_id)) == [store_id(knowledge_base)]:
                self.proofs.prove(self.files.delete(tenant, file_id))
            else:
                self.library.detach(tenant, store_id(knowledge_base), file_id)
        except NotFoundError:  # a person has taken it out meanwhile
            pass
        log.info("%s: %s is replaced in %s", tenant, file_id, knowledge_base)
        with self.database.writes() as connection:
            gone = (replacements.c.old_id == file_id) & (replacements.c.knowledge_base == knowledge_base)
            connection.execute(delete(replacements).where(gone))

    def _forget(self, new_id: str) -> None:
        with self.database.writes() as connection:
            connection.execute(delete(replacements).where(replacements.c.new_id == new_id))


def _add(connection: Connection, key: Key, new_id: str, old_id: str) -> None:
    tenant, knowledge_base = key
    recorded = (replacements.c.new_id == new_id) & (replacements.c.old_id == old_id)
    if connection.execute(select(replacements).where(recorded)).first() is None:
        row = {"old_id": old_id, "new_id": new_id, "tenant": tenant, "knowledge_base": knowledge_base}
        connection.execute(insert(replacements), row)
