"""The ingest worker as an application: its API, the worker thread, and the watching of the sources."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, FastAPI

from retrieval.app import open_store
from retrieval.blobs import opened
from retrieval.documents.batch_library import BatchLibrary
from retrieval.documents.crawler import Crawler
from retrieval.documents.database import Database
from retrieval.documents.deletion_proofs import DeletionProofs
from retrieval.documents.index_wait import IndexWait
from retrieval.documents.repair import repair, sweep
from retrieval.documents.replacements import Replacements
from retrieval.documents.routes.deletions import deletion_routes
from retrieval.documents.routes.files import MOST_FORM_BYTES, file_routes
from retrieval.documents.routes.store_files import batch_routes, store_file_routes
from retrieval.documents.routes.vector_stores import store_routes
from retrieval.documents.routes.web_sources import web_source_routes
from retrieval.documents.signing import Signer
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.turns import TenantTurns
from retrieval.documents.uploaded_files import UploadedFiles
from retrieval.documents.uploads import uploads
from retrieval.documents.web_library import WebLibrary
from retrieval.errors import RetrievalError
from retrieval.ingest.ledger import Ledger
from retrieval.ingest.metrics import WorkerMetrics
from retrieval.ingest.parse.parsers import parsers
from retrieval.ingest.pipeline import Pipeline
from retrieval.ingest.routes import routes
from retrieval.ingest.settings import Settings
from retrieval.ingest.watch import follow
from retrieval.ingest.worker import Worker
from retrieval.store import Reads
from retrieval.web.client import WebClient, connected
from retrieval.web.robots import Robots
from service.application import MOST_BYTES, application
from service.background import Background
from service.changes import Changes
from service.probes import Probes
from service.tokens import Tokens, optional

COALESCE_SECONDS = 0.1  # a burst of changes is reported once
STOP_SECONDS = 5.0  # for the current document; an interrupted one is repeated after the next start


@dataclass(frozen=True)
class _Parts:
    """What the application is made of."""

    pipeline: Pipeline
    ledger: Ledger
    database: Database
    worker: Worker
    files: UploadedFiles
    library: StoreLibrary
    web: WebLibrary
    proofs: DeletionProofs

    @property
    def replacements(self) -> Replacements:
        return Replacements(self.database, self.library, self.files, self.proofs)

    @property
    def routers(self) -> list[APIRouter]:
        return [
            file_routes(self.files, self.proofs),
            store_routes(self.library, self.web, self.proofs),
            store_file_routes(self.library, self.replacements, self.proofs.index),
            batch_routes(self.library, BatchLibrary(self.library)),
            web_source_routes(self.library, self.web),
            deletion_routes(self.proofs),
        ]

    def close(self) -> None:
        self.pipeline.close()
        self.database.close()
        self.ledger.close()


def _parts(settings: Settings, changed: Callable[[], None]) -> _Parts:
    embedder = settings.opened_embedder()
    store, ledger = open_store(settings, embedder.dimensions, Reads.CURRENT), Ledger(settings.ledger, changed)
    database, blobs = Database(settings.database.get_secret_value()), opened(settings.objects)
    pipeline = Pipeline(store, embedder, settings.limits, blobs)
    worker = Worker(
        pipeline,
        ledger,
        rescan_seconds=settings.rescan_seconds,
        changed=changed,
        uploads=partial(uploads, database),
    )
    files = UploadedFiles(database, blobs, settings.max_document_bytes, worker)
    library = StoreLibrary(database, ledger, worker)
    proofs = DeletionProofs(database, blobs, IndexWait(store, ledger), Signer(settings.signing_file))
    return _Parts(pipeline, ledger, database, worker, files, library, WebLibrary(library, files, changed), proofs)


def create_app(settings: Settings) -> FastAPI:
    """Opens the embedder and the ledger immediately, so a bad one fails the start; Milvus may start later."""
    changes, desired_changed = Changes(settle_s=COALESCE_SECONDS), asyncio.Event()
    parts, background = _parts(settings, changes.add), Background()

    async def ready() -> str:
        try:
            await asyncio.to_thread(parts.pipeline.store.ping)
        except RetrievalError as error:
            return str(error)
        return background.fault or parts.worker.message

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with contextlib.suppress(OSError):  # the first document's parser says it
            await asyncio.to_thread(parsers().prepare)
        async with (
            _client(settings) as client,
            _working(parts.worker),
            background.running("look at web sources", Crawler(parts.web, client, Robots(client)).run()),
            background.running("finish deletions", repair(parts.library, parts.files, parts.proofs)),
            background.running("replace documents", parts.replacements.follow(changes)),
            background.running("delete lost files", sweep(parts.files, parts.web)),
            background.running("follow the sources", follow(parts.worker, desired_changed, settings.rescan_seconds)),
        ):
            yield
        await asyncio.to_thread(parts.close)

    app = application(
        "Quiver ingest",
        [routes(parts.library, parts.web, parts.worker, changes, desired_changed), *parts.routers],
        tokens=Tokens(settings.token.get_secret_value()),
        metrics_tokens=optional(settings.metrics_token.get_secret_value()),
        probes=Probes(WorkerMetrics(parts.worker).registry, ready),
        lifespan=lifespan,
        most_bytes=max(MOST_BYTES, settings.max_document_bytes + MOST_FORM_BYTES),
    )
    app.add_middleware(TenantTurns)
    return app


def _client(settings: Settings) -> AbstractAsyncContextManager[WebClient]:
    return connected(
        allow_private=settings.web_allow_private,
        most_bytes=settings.max_document_bytes,
        delay_s=settings.web_delay_seconds,
    )


@contextlib.asynccontextmanager
async def _working(worker: Worker) -> AsyncIterator[None]:
    """Runs the worker's thread: a daemon, so a long document does not delay the end of the process."""
    thread = threading.Thread(target=worker.run, name="ingest", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        await asyncio.to_thread(thread.join, STOP_SECONDS)
