"""The ingest worker as an application: its API, the thread that works, the watch on the sources."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware

from retrieval.app import open_store
from retrieval.background import Background
from retrieval.bearer import BearerAuth
from retrieval.embedding.model import Embedder
from retrieval.errors import RetrievalError, StoreError
from retrieval.ingest.ledger import Ledger
from retrieval.ingest.metrics import WorkerMetrics
from retrieval.ingest.pipeline import Pipeline
from retrieval.ingest.revision import Revision
from retrieval.ingest.routes import routes
from retrieval.ingest.settings import Settings
from retrieval.ingest.watch import follow
from retrieval.ingest.worker import Worker
from retrieval.routes import health
from retrieval.routes.bodies import on_error

STOP_SECONDS = 5.0  # for the document in hand; what is cut off is done again after the next start


def create_app(settings: Settings) -> Starlette:
    """Opens the embedder and the ledger at once, so a bad one fails the start; Milvus may come up later."""
    revision, wanted_changed = Revision(), asyncio.Event()
    store = open_store(settings)
    ledger = Ledger(settings.ledger, revision.bump)
    pipeline = Pipeline(store, Embedder(settings.embedder, threads=settings.embedder_threads), settings.limits)
    worker = Worker(pipeline, ledger, rescan_seconds=settings.rescan_seconds, changed=revision.bump)

    background = Background()

    async def prove() -> None:
        background.check()
        if worker.message:
            raise StoreError(worker.message)
        await asyncio.to_thread(store.tenants)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        following = follow(worker, wanted_changed, settings.rescan_seconds)
        async with _working(worker), background.running("follow the sources", following):
            yield
        await asyncio.to_thread(store.close)
        await asyncio.to_thread(ledger.close)

    return Starlette(
        routes=[
            *routes(worker, revision, wanted_changed),
            *health.routes(prove, WorkerMetrics(worker).registry),
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


@contextlib.asynccontextmanager
async def _working(worker: Worker) -> AsyncIterator[None]:
    """The worker's thread; a daemon, so that a long document does not hold up the end of the process."""
    thread = threading.Thread(target=worker.run, name="ingest", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        await asyncio.to_thread(thread.join, STOP_SECONDS)
