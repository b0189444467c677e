"""A worker for tests."""

import io
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from contract.ingest import (
    DesiredKnowledgeBase,
    DesiredKnowledgeBases,
    DesiredSource,
    DesiredTenant,
    IndexedDocument,
    IndexedKnowledgeBase,
)
from retrieval.blobs.directory import Directory
from retrieval.documents.database import Database
from retrieval.documents.files import StoredFile
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.uploaded_files import UploadedFiles
from retrieval.documents.uploads import uploads
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.ingest.ledger import Ledger
from retrieval.ingest.limits import Limits
from retrieval.ingest.pipeline import Pipeline
from retrieval.ingest.worker import Worker
from retrieval.scope import Scope
from retrieval.store import Hit, Store
from tests.retrieval.ingest.test_parse import LIMITS
from tests.retrieval.test_store import asked


@dataclass
class Bench:
    """A worker that is turned by hand, with a clock that is moved by hand."""

    store: Store
    embedder: SentenceEncoder
    tenant: str
    folder: Path
    limits: Limits = LIMITS
    now: float = 4_000_000_000.0  # after the time of every file, so that all have settled
    embedded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = self.folder / "source"
        self.source.mkdir()
        self.scope = Scope(self.tenant, ("docs",))
        self.open()

    def open(self) -> None:
        """As after a start: everything but the ledger's file and the store is new."""
        self.ledger = Ledger(self.folder / "ledger.db")
        self.blobs = Directory(self.folder / "objects")
        self.database = Database(f"sqlite:///{self.folder}/records.db")
        self.worker = Worker(
            Pipeline(self.store, self.embedder, self.limits, self.blobs),
            self.ledger,
            rescan_seconds=5,
            clock=lambda: self.now,
            uploads=partial(uploads, self.database),
        )
        self.files = UploadedFiles(self.database, self.blobs, self.limits.file_bytes, self.worker)
        self.library = StoreLibrary(self.database, self.ledger, self.worker)

    def restart(self) -> None:
        self.ledger.close()
        self.open()
        self.settle()

    def set_desired(self, *names: str, **changed: object) -> None:
        common = {"tenant": self.tenant, "sources": [DesiredSource(path=str(self.source))]} | changed
        self.worker.set_desired([DesiredKnowledgeBase.model_validate(common | {"name": name}) for name in names])
        self.settle()

    def set_tenant(self) -> None:
        """Without it, nothing can be uploaded."""
        tenant = DesiredTenant(name=self.tenant, max_bytes=1_000_000, max_files=100, max_vector_stores=10)
        self.library.set_objects(DesiredKnowledgeBases(knowledge_bases=[], tenants=[tenant]))

    def upload(self, name: str, text: str) -> StoredFile:
        return self.files.add(self.tenant, name, "assistants", io.BytesIO(text.encode()))

    def write(self, name: str, text: str | bytes) -> None:
        (self.source / name).write_bytes(text.encode() if isinstance(text, str) else text)

    def settle(self) -> None:
        """Look, and work until nothing is due now."""
        self.worker.look()
        for _turn in range(2000):
            if self.worker.turn() > 0:
                return
        raise AssertionError("the worker does not come to rest")

    def status(self) -> IndexedKnowledgeBase:
        (status,) = self.worker.status()
        return status

    def document(self, path: str) -> IndexedDocument:
        return next(document for document in self.status().documents if document.path == path)

    def texts(self) -> list[str]:
        """What a search for a word of every text finds."""
        return sorted(hit.text for hit in self.hits(self.scope))

    def hits(self, scope: Scope) -> list[Hit]:
        return self.store.lexical(scope, asked("plan"), 50)
