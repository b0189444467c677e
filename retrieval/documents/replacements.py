"""Replaces documents by newer ones: the old one answers until the new one does, and is deleted then.

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
from retrieval.errors import InvalidRequestError, NotFoundError, RetrievalError
from service.changes import Changes

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 30.0  # for a change of the worker's progress


@dataclass(frozen=True)
class Replacements:
    database: Database
    library: StoreLibrary
    files: UploadedFiles
    proofs: DeletionProofs

    def check(self, store: VectorStore, new_id: str, old_ids: Sequence[str]) -> None:
        """Raises NotFoundError for a file that is not in the store, and InvalidRequestError for the new one itself."""
        if new_id in old_ids:
            raise InvalidRequestError(f"'{new_id}' cannot replace itself: upload the new version as another file.")
        with self.database.reads() as connection:
            for old_id in old_ids:
                if attachments.get(connection, store.key, old_id) is None:
                    raise NotFoundError(f"No file found with id '{old_id[:80]}' in vector store '{store.id}'.")

    def add(self, store: VectorStore, new_id: str, old_ids: Sequence[str]) -> None:
        """Recorded once, however often a request is repeated."""
        if not old_ids:
            return
        with self.database.writes() as connection:
            for old_id in old_ids:
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
                self._delete(row.tenant, row.old_id)
            elif entry is None or entry.status in ("failed", "cancelled"):
                self._forget(row.new_id)

    def _entry(self, tenant: str, knowledge_base: str, file_id: str) -> Entry | None:
        try:
            return self.library.entry(self.library.get(tenant, store_id(knowledge_base)), file_id)
        except NotFoundError:
            return None

    def _delete(self, tenant: str, file_id: str) -> None:
        """Its row leaves with it."""
        try:
            deletion = self.files.delete(tenant, file_id)
        except NotFoundError:  # a person has deleted it meanwhile
            return
        log.info("%s: %s is replaced and deleted", tenant, file_id)
        self.proofs.prove(deletion)

    def _forget(self, new_id: str) -> None:
        with self.database.writes() as connection:
            connection.execute(delete(replacements).where(replacements.c.new_id == new_id))


def _add(connection: Connection, key: Key, new_id: str, old_id: str) -> None:
    tenant, knowledge_base = key
    recorded = (replacements.c.new_id == new_id) & (replacements.c.old_id == old_id)
    if connection.execute(select(replacements).where(recorded)).first() is None:
        row = {"old_id": old_id, "new_id": new_id, "tenant": tenant, "knowledge_base": knowledge_base}
        connection.execute(insert(replacements), row)
