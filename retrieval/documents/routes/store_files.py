"""`/v1/vector_stores/ID/files` and `/file_batches`: attach, follow, show and detach documents."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from retrieval.documents.batch_library import BatchLibrary
from retrieval.documents.batches import Batch
from retrieval.documents.entries import Entry, Status
from retrieval.documents.index_wait import IndexWait
from retrieval.documents.pages import Page, Window, page
from retrieval.documents.replacements import Replacements
from retrieval.documents.routes.files import Tenant
from retrieval.documents.routes.vector_stores import STORE
from retrieval.documents.routes.windows import window
from retrieval.documents.schemas import (
    AttachBatch,
    AttachFile,
    ChangeAttributes,
    Content,
    Deleted,
    FileBatch,
    Listed,
    VectorStoreFile,
)
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.vector_stores import VectorStore
from retrieval.scope import Scope
from service.application import refusals, router

FILES = STORE + "/files"
FILE = FILES + "/{file_id}"
BATCHES = STORE + "/file_batches"
BATCH = BATCHES + "/{batch_id}"
# The stock client waits so long between two looks, and a second without this.
POLL = {"openai-poll-after-ms": "250"}

Part = Annotated[Window, Depends(window)]
Name = Annotated[str, Query(max_length=255)]
Filter = Annotated[Status | None, Query(alias="filter")]


def _listed(store: VectorStore, shown: Page[Entry]) -> Listed[VectorStoreFile]:
    return Listed.of(shown, [VectorStoreFile.of(store, entry) for entry in shown.items])


def store_file_routes(library: StoreLibrary, replacements: Replacements, index: IndexWait) -> APIRouter:
    routes = router()

    @routes.post(FILES, responses=refusals(404))
    def attach(tenant: Tenant, store_id: str, body: AttachFile, response: Response) -> VectorStoreFile:
        response.headers.update(POLL)
        store = library.get(tenant, store_id)
        entry = library.attach(store, *body.listed)
        replacements.add(store, body.file_id, body.replaces or [])
        return VectorStoreFile.of(store, entry)

    @routes.get(FILES, responses=refusals(404))
    def listed(
        tenant: Tenant, store_id: str, part: Part, status: Filter = None, filename: Name = ""
    ) -> Listed[VectorStoreFile]:
        """`filename` is a part of the names to list, in any case."""
        store = library.get(tenant, store_id)
        return _listed(store, library.entries(store, part, status, filename))

    @routes.get(FILE, responses=refusals(404))
    def get(tenant: Tenant, store_id: str, file_id: str, response: Response) -> VectorStoreFile:
        response.headers.update(POLL)
        store = library.get(tenant, store_id)
        return VectorStoreFile.of(store, library.entry(store, file_id))

    @routes.post(FILE, responses=refusals(404, 409))
    def change(tenant: Tenant, store_id: str, file_id: str, body: ChangeAttributes) -> VectorStoreFile:
        store = library.get(tenant, store_id)
        return VectorStoreFile.of(store, library.set_attributes(store, file_id, body.attributes or {}))

    @routes.get(FILE + "/content", responses=refusals(404))
    def content(tenant: Tenant, store_id: str, file_id: str) -> Content:
        """The searched passages, in the order of the document."""
        store = library.get(tenant, store_id)
        entry = library.entry(store, file_id)
        return Content.of(entry, index.store.texts(Scope(tenant, (store.knowledge_base,)), file_id))

    @routes.delete(FILE, responses=refusals(404, 409))
    async def detach(tenant: Tenant, store_id: str, file_id: str) -> Deleted:
        """The file itself stays."""
        key = await asyncio.to_thread(library.detach, tenant, store_id, file_id)
        return Deleted(
            id=file_id, object="vector_store.file.deleted", erased=await index.until_file_gone([key], file_id)
        )

    return routes


def batch_routes(library: StoreLibrary, batches: BatchLibrary) -> APIRouter:
    routes = router()

    def shown(store: VectorStore, batch: Batch) -> FileBatch:
        return FileBatch.of(store, batch, batches.entries(store, batch))

    @routes.post(BATCHES, responses=refusals(404))
    def attach(tenant: Tenant, store_id: str, body: AttachBatch, response: Response) -> FileBatch:
        response.headers.update(POLL)
        store = library.get(tenant, store_id)
        return shown(store, batches.add(store, body.listed))

    @routes.get(BATCH, responses=refusals(404))
    def get(tenant: Tenant, store_id: str, batch_id: str, response: Response) -> FileBatch:
        response.headers.update(POLL)
        store = library.get(tenant, store_id)
        return shown(store, batches.get(store, batch_id))

    @routes.post(BATCH + "/cancel", responses=refusals(404))
    def cancel(tenant: Tenant, store_id: str, batch_id: str) -> FileBatch:
        """Files in progress are not indexed; others stay."""
        store = library.get(tenant, store_id)
        batch = batches.get(store, batch_id)
        batches.cancel(store, batch)
        return shown(store, batch)

    @routes.get(BATCH + "/files", responses=refusals(404))
    def files(
        tenant: Tenant, store_id: str, batch_id: str, part: Part, status: Filter = None
    ) -> Listed[VectorStoreFile]:
        store = library.get(tenant, store_id)
        entries = batches.entries(store, batches.get(store, batch_id))
        chosen = [entry for entry in entries if status in (None, entry.status)]
        return _listed(store, page(chosen, lambda entry: entry.file_id, part))

    return routes
