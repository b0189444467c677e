"""The query path as an application."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI

from retrieval.errors import RetrievalError
from retrieval.metrics import Metrics
from retrieval.reranking.reranker import Reranker, opened
from retrieval.routes import embed
from retrieval.routes import search as search_routes
from retrieval.search import Search
from retrieval.settings import ServiceSettings, Settings
from retrieval.store import Reads, Store
from service.application import application
from service.background import Background
from service.probes import Probes
from service.tokens import Tokens, optional

TENANTS_SECONDS = 10.0  # between two readings of the set of tenants

log = logging.getLogger(__name__)


def open_store(settings: ServiceSettings, dimension: int, reads: Reads = Reads.QUICK) -> Store:
    return Store(
        settings.milvus_uri,
        token=settings.milvus_token.get_secret_value(),
        ca=settings.milvus_ca,
        dimension=dimension,
        reads=reads,
        tenancy=settings.milvus_tenancy,
        timeout=settings.milvus_timeout_seconds,
    )


def create_app(settings: Settings) -> FastAPI:
    """Tries the embedder immediately, so that a bad one fails the start; Milvus may start later."""
    embedder = settings.opened_embedder()
    store = open_store(settings, embedder.dimensions)
    reranker = _reranker(settings)
    search = Search(store, embedder, cached=settings.cached_queries, pool=settings.pool, reranker=reranker)
    metrics = Metrics(tenants=settings.tenant_labels)

    background = Background()

    async def ready() -> str:
        try:
            await search.ping()
        except RetrievalError as error:
            return str(error)
        return background.fault

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with background.running("follow the tenants", _follow_tenants(store, search, metrics)):
            yield
        await asyncio.to_thread(store.close)
        if reranker:
            await reranker.close()
        embedder.close()

    return application(
        "Quiver search",
        [search_routes.routes(search, metrics), embed.routes(embedder)],
        tokens=Tokens(settings.token.get_secret_value()),
        metrics_tokens=optional(settings.metrics_token.get_secret_value()),
        probes=Probes(metrics.registry, ready),
        lifespan=lifespan,
    )


def _reranker(settings: Settings) -> Reranker | None:
    if not settings.reranker:
        return None
    return opened(
        settings.reranker,
        model=settings.reranker_model,
        token=settings.reranker_token,
        seconds=settings.reranker_seconds,
    )


async def _follow_tenants(store: Store, search: Search, metrics: Metrics) -> None:
    """Renews the metric labels, and drops cached data of removed tenants."""
    while True:
        try:
            tenants = await asyncio.to_thread(store.tenants)
            metrics.admit(tenants)
            search.keep(tenants)
        except RetrievalError as error:
            log.warning("%s", error)
        await asyncio.sleep(TENANTS_SECONDS)
