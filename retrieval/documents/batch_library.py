"""Batches of files for a vector store. Every method blocks: call it off the event loop."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.documents import attachments, batches
from retrieval.documents.batches import Batch
from retrieval.documents.entries import Entry
from retrieval.documents.store_library import StoreLibrary, attach, existing_store
from retrieval.documents.vector_stores import VectorStore
from retrieval.errors import NotFoundError
from retrieval.store.rows import Attributes
from service.clock import microseconds


@dataclass(frozen=True)
class BatchLibrary:
    stores: StoreLibrary

    def add(self, store: VectorStore, listed: Sequence[tuple[str, Attributes | None]]) -> Batch:
        """Attach all of these files, or none."""
        ids = tuple(file_id for file_id, _ in listed)
        with self.stores.database.writes() as connection:
            existing_store(connection, store.tenant, store.id)
            before = {each.file.id for each in attachments.some(connection, store.key, ids)}
            added = tuple(file_id for file_id in ids if file_id not in before)
            batch = Batch(batches.new_id(), *store.key, microseconds(), ids, added)
            for file_id, attributes in listed:
                attach(connection, store.key, file_id, attributes)
            batches.add(connection, batch)
        self.stores.worker.look_at([store.key])
        return batch

    def get(self, store: VectorStore, batch_id: str) -> Batch:
        with self.stores.database.reads() as connection:
            batch = batches.get(connection, store.key, batch_id)
        if batch is None:
            raise NotFoundError(f"No file batch found with id '{batch_id[:80]}'.")
        return batch

    def entries(self, store: VectorStore, batch: Batch) -> list[Entry]:
        """The files of a batch, without those taken out of the store since."""
        with self.stores.database.reads() as connection:
            attached = attachments.some(connection, store.key, batch.file_ids)
        return self.stores.entries_of(store, attached)

    def cancel(self, store: VectorStore, batch: Batch) -> None:
        """Files in progress are not indexed if the batch has added them. All other files stay."""
        added = frozenset(batch.added)
        waiting = (each for each in self.entries(store, batch) if each.status == "in_progress")
        running = [each.file_id for each in waiting if each.file_id in added]
        with self.stores.database.writes() as connection:
            attachments.cancel(connection, store.key, running)
        self.stores.worker.look_at([store.key])
