"""`/v1/vector_stores`: make, list, show, change, delete. `search` is the gateway's."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends

from retrieval.documents.deletion_proofs import DeletionProofs
from retrieval.documents.pages import Window
from retrieval.documents.routes import TENANT
from retrieval.documents.routes.files import Tenant
from retrieval.documents.routes.windows import window
from retrieval.documents.schemas import ChangeVectorStore, CreateVectorStore, Deleted, Listed, VectorStoreObject
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.vector_stores import VectorStore
from retrieval.documents.web_library import WebLibrary
from service.application import refusals, router

STORES = TENANT + "/vector_stores"
STORE = STORES + "/{store_id}"


def store_routes(library: StoreLibrary, web: WebLibrary, proofs: DeletionProofs) -> APIRouter:
    routes = router()

    def shown(store: VectorStore) -> VectorStoreObject:
        return VectorStoreObject.of(store, library.summary(store))

    @routes.post(STORES, responses=refusals(403, 404, 507))
    async def create(tenant: Tenant, body: CreateVectorStore) -> VectorStoreObject:
        """It can be searched at once."""
        store = await asyncio.to_thread(library.create, tenant, body.draft, body.file_ids or [])
        await proofs.index.until_made(store.key)
        return await asyncio.to_thread(shown, store)

    @routes.get(STORES)
    def listed(tenant: Tenant, part: Annotated[Window, Depends(window)]) -> Listed[VectorStoreObject]:
        chosen = library.of_tenant(tenant, part)
        return Listed.of(chosen, list(map(shown, chosen.items)))

    @routes.get(STORE, responses=refusals(404))
    def get(tenant: Tenant, store_id: str) -> VectorStoreObject:
        return shown(library.get(tenant, store_id))

    @routes.post(STORE, responses=refusals(404))
    def change(tenant: Tenant, store_id: str, body: ChangeVectorStore) -> VectorStoreObject:
        return shown(library.change(tenant, store_id, body.changes))

    @routes.delete(STORE, responses=refusals(404, 409))
    async def delete(tenant: Tenant, store_id: str) -> Deleted:
        """Its files stay; the pages of its web sources are deleted."""
        deletion = await asyncio.to_thread(web.remove_store, tenant, store_id)
        await proofs.index.until_store_gone((tenant, deletion.knowledge_bases[0]))
        proven = await asyncio.to_thread(proofs.prove, deletion)
        erased = bool(proven.checked)
        return Deleted(id=store_id, object="vector_store.deleted", erased=erased, deletion=deletion.id)

    return routes
