"""`PUT` and `GET /v1/knowledge-bases`: the desired set, and its progress."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from contract.ingest import Accepted, DesiredKnowledgeBases, IngestStatus
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.web_library import WebLibrary
from retrieval.ingest.worker import Worker
from service.application import refusals, router
from service.changes import Changes

PATH = "/v1/knowledge-bases"


def routes(
    library: StoreLibrary, web: WebLibrary, worker: Worker, changes: Changes, desired_changed: asyncio.Event
) -> APIRouter:
    bases = router()

    @bases.put(PATH, status_code=202, responses=refusals(507))
    async def desire(body: DesiredKnowledgeBases) -> Accepted:
        """The complete set of KnowledgeBase objects and tenants; all others are deleted."""
        await asyncio.to_thread(library.set_objects, body)
        await asyncio.to_thread(web.follow_objects, body.knowledge_bases)
        desired_changed.set()
        return Accepted(revision=changes.number)

    @bases.get(PATH)
    async def status(
        seen: Annotated[int, Query(description="The revision that the caller has seen.")] = -1,
        wait: Annotated[
            float, Query(ge=0, allow_inf_nan=False, description="Seconds to wait for another revision.")
        ] = 0,
    ) -> IngestStatus:
        """The state of each document, once the revision differs from `seen`, or after `wait` seconds."""
        revision = await changes.wait_beyond(seen, wait)
        looks = await asyncio.to_thread(web.reports)
        bases = [
            base.model_copy(update={"web": looks.get((base.tenant, base.name), [])})
            for base in await asyncio.to_thread(worker.status)
        ]
        return IngestStatus(revision=revision, message=worker.trouble, knowledge_bases=bases)

    return bases
