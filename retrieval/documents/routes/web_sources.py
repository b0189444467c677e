"""`/v1/vector_stores/ID/web_sources`: pages and sites to look at. Not one of OpenAI's routes."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from contract.body import Body, Reply
from retrieval.documents.routes.files import Tenant
from retrieval.documents.routes.vector_stores import STORE
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.vector_stores import VectorStore
from retrieval.documents.web_library import WebLibrary
from retrieval.documents.web_sources import WebSource
from retrieval.web.address import LONGEST
from service.application import refusals, router

SOURCES = STORE + "/web_sources"
SOURCE = SOURCES + "/{source_id}"
_SECOND = 1_000_000  # microseconds


class AddWebSource(Body):
    """`depth` is the number of links to follow from `url`, within its directory; 0 for the page alone."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
    depth: Annotated[int, Field(ge=0, le=5)] = 0
    most_pages: Annotated[int, Field(ge=1, le=1_000)] = 100
    every_minutes: Annotated[int, Field(ge=5, le=44_640)] = 1_440


class WebSourceObject(Reply):
    id: str
    object: Literal["vector_store.web_source"] = "vector_store.web_source"
    created_at: int
    vector_store_id: str
    url: str
    depth: int
    most_pages: int
    every_minutes: int
    pages: int
    """Pages that are documents of the store now."""
    looked_at: int | None
    """When the last look ended; null before the first."""
    next_look_at: int
    message: str
    """Why pages could not be read at the last look; empty if all were."""
    managed: bool
    """Whether it is in the spec of the KnowledgeBase object: only there it can be removed."""

    @classmethod
    def of(cls, store: VectorStore, source: WebSource, pages: int) -> Self:
        return cls(
            id=source.id,
            created_at=source.created // _SECOND,
            vector_store_id=store.id,
            url=source.url,
            depth=source.depth,
            most_pages=source.most_pages,
            every_minutes=source.every_minutes,
            pages=pages,
            looked_at=source.looked // _SECOND or None,
            next_look_at=source.due // _SECOND,
            message=source.message,
            managed=source.managed,
        )


class WebSourceList(Reply):
    object: Literal["list"] = "list"
    data: list[WebSourceObject]
    has_more: bool = False


class DeletedWebSource(Reply):
    id: str
    object: Literal["vector_store.web_source.deleted"] = "vector_store.web_source.deleted"
    deleted: Literal[True] = True


def web_source_routes(library: StoreLibrary, web: WebLibrary) -> APIRouter:
    routes = router()

    def shown(store: VectorStore, source: WebSource) -> WebSourceObject:
        return WebSourceObject.of(store, source, web.count_pages(source))

    @routes.post(SOURCES, responses=refusals(403, 404))
    def add(tenant: Tenant, store_id: str, body: AddWebSource) -> WebSourceObject:
        """It is looked at at once, and then every `every_minutes`."""
        store = library.get(tenant, store_id)
        return shown(store, web.add(store, body.url, body.depth, body.most_pages, body.every_minutes))

    @routes.get(SOURCES, responses=refusals(404))
    def listed(tenant: Tenant, store_id: str) -> WebSourceList:
        store = library.get(tenant, store_id)
        return WebSourceList(data=[shown(store, source) for source in web.of_store(store)])

    @routes.get(SOURCE, responses=refusals(404))
    def get(tenant: Tenant, store_id: str, source_id: str) -> WebSourceObject:
        store = library.get(tenant, store_id)
        return shown(store, web.get(store, source_id))

    @routes.post(SOURCE + "/look", responses=refusals(404))
    def look(tenant: Tenant, store_id: str, source_id: str) -> WebSourceObject:
        """Looks at it now, instead of at its time."""
        store = library.get(tenant, store_id)
        return shown(store, web.look_again(store, source_id))

    @routes.delete(SOURCE, responses=refusals(404, 409))
    def remove(tenant: Tenant, store_id: str, source_id: str) -> DeletedWebSource:
        """With the documents of its pages."""
        web.remove(library.get(tenant, store_id), source_id)
        return DeletedWebSource(id=source_id)

    return routes
