"""The query path as an application."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware

from retrieval.background import Background
from retrieval.bearer import BearerAuth
from retrieval.embedding.model import DIMENSION, Embedder
from retrieval.errors import RetrievalError
from retrieval.metrics import Metrics
from retrieval.routes import embed, health
from retrieval.routes import search as search_routes
from retrieval.routes.bodies import on_error
from retrieval.search import Search
from retrieval.settings import ServiceSettings, Settings
from retrieval.store import Store

TENANTS_SECONDS = 10.0  # how often the set of tenants is renewed

log = logging.getLogger(__name__)


def open_store(settings: ServiceSettings) -> Store:
    return Store(
        settings.milvus_uri,
        token=settings.milvus_token.get_secret_value(),
        dimension=DIMENSION,
        timeout=settings.milvus_timeout_seconds,
    )


def create_app(settings: Settings) -> Starlette:
    """Loads the embedder at once, so a bad folder fails the start; Milvus may come up later."""
    store = open_store(settings)
    embedder = Embedder(settings.embedder, threads=settings.embedder_threads)
    search = Search(store, embedder, cached=settings.cached_queries, pool=settings.pool, thresholds=settings.thresholds)
    metrics = Metrics(tenants=settings.tenant_labels)

    background = Background()

    async def prove() -> None:
        background.check()
        await search.ping()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with background.running("follow the tenants", _follow_tenants(store, search, metrics)):
            yield
        await asyncio.to_thread(store.close)

    return Starlette(
        routes=[
            *search_routes.routes(search, metrics),
            *embed.routes(embedder),
            *health.routes(prove, metrics.registry),
        ],
        middleware=[
            Middleware(
                BearerAuth,
                token=settings.token.get_secret_value(),
                metrics_token=settings.metrics_token.get_secret_value(),
            )
        ],
        exception_handlers={RetrievalError: on_error},
        lifespan=lifespan,
    )


async def _follow_tenants(store: Store, search: Search, metrics: Metrics) -> None:
    """Nothing of a tenant that has left is kept in memory."""
    while True:
        try:
            tenants = await asyncio.to_thread(store.tenants)
            metrics.admit(tenants)
            search.keep(tenants)
        except RetrievalError as error:
            log.warning("%s", error)
        await asyncio.sleep(TENANTS_SECONDS)
