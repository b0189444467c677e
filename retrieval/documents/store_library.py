"""Makes, fills and removes vector stores. Every method blocks: call it off the event loop.

The ingest worker makes the index follow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from sqlalchemy import Connection

from contract.ingest import DesiredKnowledgeBase, DesiredKnowledgeBases
from contract.vector_store import FILE_PREFIX, PREFIX
from retrieval.documents import attachments, deletions, files, tenants, vector_stores
from retrieval.documents.attachments import Attachment
from retrieval.documents.database import Database
from retrieval.documents.deletions import Deletion
from retrieval.documents.entries import (
    GIVEN_UP,
    Entry,
    Status,
    Summary,
    entries,
    entry,
    folder_entry,
    summary,
)
from retrieval.documents.pages import Page, Window, page
from retrieval.documents.uploaded_files import existing_file, existing_tenant
from retrieval.documents.uploads import source_of
from retrieval.documents.vector_stores import Draft, Key, VectorStore
from retrieval.errors import ConflictError, InvalidRequestError, NotFoundError, QuotaError
from retrieval.ingest.ledger import Document, Ledger
from retrieval.ingest.worker import Worker
from retrieval.store.rows import Attributes
from service.clock import microseconds, ordered_id

PART = 500  # entries of one query, in a search for those of a status


@dataclass(frozen=True)
class StoreLibrary:
    """`worker` makes the index follow; it is called off its thread."""

    database: Database
    ledger: Ledger
    worker: Worker
    _following: Lock = field(default_factory=Lock)  # the latest desired set must not be replaced by an earlier one

    # Vector stores ----------------------------------------------------------------------------------------------

    def create(self, tenant: str, draft: Draft, file_ids: Sequence[str]) -> VectorStore:
        """With these files attached. Raises QuotaError, NotFoundError and UnknownTenantError."""
        store = VectorStore(
            tenant=tenant,
            knowledge_base=ordered_id(),
            created=microseconds(),
            title=draft.title,
            description=draft.description,
            labels=draft.labels,
        )
        with self.database.writes() as connection:
            limits = existing_tenant(tenants.get(connection, tenant), tenant)
            if vector_stores.count_made_by_api(connection, tenant) >= limits.max_vector_stores:
                raise QuotaError(
                    f"Your organization has {limits.max_vector_stores:,} vector stores: delete some, or ask for more "
                    "(documents.maxVectorStores of the Tenant)."
                )
            vector_stores.add(connection, store)
            for file_id in file_ids:
                attach(connection, store.key, file_id, None)
        self.follow()
        return store

    def get(self, tenant: str, store_id: str) -> VectorStore:
        with self.database.reads() as connection:
            return existing_store(connection, tenant, store_id)

    def of_tenant(self, tenant: str, window: Window) -> Page[VectorStore]:
        with self.database.reads() as connection:
            return vector_stores.of_tenant(connection, tenant, window.without_prefix(PREFIX))

    def change(self, tenant: str, store_id: str, values: Mapping[str, object]) -> VectorStore:
        with self.database.writes() as connection:
            store = existing_store(connection, tenant, store_id)
            if values:
                vector_stores.change(connection, store.key, **values)
            return existing_store(connection, tenant, store_id)

    def remove(self, tenant: str, store_id: str) -> Deletion:
        """The files stay. Raises ConflictError for the store of a KnowledgeBase object."""
        with self.database.writes() as connection:
            store = existing_store(connection, tenant, store_id)
            if store.spec is not None:
                raise ConflictError(
                    f"'{store.id}' belongs to the KnowledgeBase {store.knowledge_base}: delete that object instead."
                )
            vector_stores.remove(connection, store.key)
            deletion = deletions.new(tenant, "vector_store", store.id, store.title, [store.knowledge_base])
            deletions.add(connection, deletion)
        self.follow()
        return deletion

    # Files of a vector store ------------------------------------------------------------------------------------

    def summary(self, store: VectorStore) -> Summary:
        with self.database.reads() as connection:
            attached = attachments.sums(connection, store.key)
        return summary(attached, self.ledger.states(*store.key, GIVEN_UP))

    def entries(self, store: VectorStore, window: Window, status: Status | None, name: str = "") -> Page[Entry]:
        """Uploads and documents of folders, in the order of their ids. With a status, all are read until enough have
        it. With a `name`, only those with it in theirs."""
        in_folders = (folder_entry(document) for document in self.ledger.in_folders(*store.key))
        folders = [each for each in in_folders if name.casefold() in each.name.casefold()]
        shown: list[Entry] = []
        part = window if status is None else replace(window, limit=max(window.limit, PART))
        while True:
            with self.database.reads() as connection:
                attached = attachments.window_of(connection, store.key, part, name)
            uploads = self.entries_of(store, attached.items)
            merged = page([*uploads, *folders], lambda each: each.file_id, part)
            chosen = [each for each in merged.items if status in (None, each.status)]
            shown = chosen + shown if window.is_backward else shown + chosen
            has_more = merged.has_more or attached.has_more
            if len(shown) >= window.limit or not has_more:
                kept = shown[-window.limit :] if window.is_backward else shown[: window.limit]
                return Page(kept, has_more or len(shown) > window.limit)
            if window.is_backward:
                part = replace(part, before=merged.items[0].file_id)
            else:
                part = replace(part, after=merged.items[-1].file_id)

    def entries_of(self, store: VectorStore, attached: Sequence[Attachment]) -> list[Entry]:
        """The entries of these attachments."""
        sources = [source_of(each.file.id) for each in attached]
        return entries(attached, self.ledger.of_sources(*store.key, sources))

    def entry(self, store: VectorStore, file_id: str) -> Entry:
        with self.database.reads() as connection:
            attachment = attachments.get(connection, store.key, file_id)
        if attachment is not None:
            return entry(attachment, self.ledger.of_source(*store.key, source_of(file_id)))
        document = self._in_folder(store, file_id)
        if document is None:
            raise _not_in_store(store, file_id)
        return folder_entry(document)

    def attach(self, store: VectorStore, file_id: str, attributes: Attributes | None) -> Entry:
        """Without attributes, those of an attached file stay."""
        with self.database.writes() as connection:
            existing_store(connection, store.tenant, store.id)
            attach(connection, store.key, file_id, attributes)
        self.worker.look_at([store.key])
        return self.entry(store, file_id)

    def set_attributes(self, store: VectorStore, file_id: str, attributes: Attributes) -> Entry:
        with self.database.writes() as connection:
            if attachments.get(connection, store.key, file_id) is None:
                raise self._not_attached(store, file_id)
            attach(connection, store.key, file_id, attributes)
        self.worker.look_at([store.key])
        return self.entry(store, file_id)

    def detach(self, tenant: str, store_id: str, file_id: str) -> Key:
        """The file itself stays."""
        store = self.get(tenant, store_id)
        with self.database.writes() as connection:
            if not attachments.remove(connection, store.key, file_id):
                raise self._not_attached(store, file_id)
        self.worker.look_at([store.key])
        return store.key

    # For the worker ---------------------------------------------------------------------------------------------

    def set_objects(self, desired: DesiredKnowledgeBases) -> None:
        """Take over the KnowledgeBase objects and the tenants. Stores and files of a deleted tenant are deleted."""
        with self.database.writes() as connection:
            vector_stores.set_objects(connection, desired.knowledge_bases, microseconds())
            if desired.tenants is not None:
                tenants.set_all(connection, desired.tenants)
                _remove_strangers(connection, frozenset(tenant.name for tenant in desired.tenants))
        self.follow()

    def follow_again(self) -> None:
        """Repeats `follow` if the worker's desired set is another one: a crash may have come between."""
        with self.database.reads() as connection:
            is_known = bool(tenants.every(connection))
        if is_known and {_key(base) for base in self.ledger.desired()} != {_key(base) for base in self.desired()}:
            self.follow()

    def desired(self) -> list[DesiredKnowledgeBase]:
        """Every vector store, as the worker's desired set."""
        with self.database.reads() as connection:
            return [store.desired for store in vector_stores.every(connection)]

    def follow(self) -> None:
        """Give the worker the desired set of the records. Also repeats a step that a crash has left out."""
        with self._following:
            self.worker.set_desired(self.desired())

    def _in_folder(self, store: VectorStore, file_id: str) -> Document | None:
        document = self.ledger.document(file_id.removeprefix(FILE_PREFIX))
        is_in_store = document is not None and (document.tenant, document.knowledge_base) == store.key
        return document if is_in_store else None

    def _not_attached(self, store: VectorStore, file_id: str) -> NotFoundError | ConflictError:
        if self._in_folder(store, file_id):
            return ConflictError(f"'{file_id[:80]}' lies in a folder of the KnowledgeBase: change it there.")
        return _not_in_store(store, file_id)


def _key(base: DesiredKnowledgeBase) -> Key:
    return base.tenant, base.name


def existing_store(connection: Connection, tenant: str, store_id: str) -> VectorStore:
    """Raises NotFoundError, with the same words for an unknown store and for another tenant's."""
    if not store_id.startswith(PREFIX):
        raise InvalidRequestError(f"Invalid '{store_id[:80]}'. Expected an ID that begins with '{PREFIX}'.")
    store = vector_stores.get(connection, tenant, store_id.removeprefix(PREFIX))
    if store is None:
        raise NotFoundError(f"No vector store found with id '{store_id[:80]}'.")
    return store


def _not_in_store(store: VectorStore, file_id: str) -> NotFoundError:
    return NotFoundError(f"No file found with id '{file_id[:80]}' in vector store '{store.id}'.")


def attach(connection: Connection, key: Key, file_id: str, attributes: Attributes | None) -> None:
    file = existing_file(files.get(connection, key[0], file_id), file_id)
    before = attachments.get(connection, key, file_id)
    kept = before.attributes if before else {}
    attachments.put(connection, key, Attachment(file, microseconds(), kept if attributes is None else attributes))


def _remove_strangers(connection: Connection, names: frozenset[str]) -> None:
    """Remove the stores and files of all other tenants. The bytes are deleted afterwards."""
    for store in vector_stores.every(connection):
        if store.tenant not in names:
            vector_stores.remove(connection, store.key)
    for file in files.of_others(connection, names):
        attachments.detach_everywhere(connection, file.id)
        files.mark_deleted(connection, file.tenant, file.id)
