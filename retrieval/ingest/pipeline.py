"""The path of one document: read, parse, cut, embed, store, check, and delete earlier versions."""

import hashlib
import logging
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from contract.ingest import DesiredKnowledgeBase, DocumentState
from contract.vector_store import FILE_PREFIX
from retrieval.blobs.blobs import Blobs
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.legibility import ENOUGH
from retrieval.errors import BlobsError, DocumentError, DocumentUnavailableError, StoreError
from retrieval.ingest import reasons
from retrieval.ingest.background import in_background
from retrieval.ingest.chunk import Block, passages
from retrieval.ingest.ledger import Document
from retrieval.ingest.limits import Limits
from retrieval.ingest.parse.formats import supported, unsupported
from retrieval.ingest.parse.run import parse
from retrieval.ingest.plan import version_of
from retrieval.ingest.scan import File, Upload, check_size, read
from retrieval.lexical import terms
from retrieval.scope import Scope
from retrieval.store import Chunk, Store
from retrieval.store.names import Tenancy
from retrieval.store.rows import Vector, identifier

# Chunks of one step: it limits memory, and the time for which other documents wait.
BATCH = 32
CUT_AT_ONCE = 256

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Indexed:
    """A document's content, version and number of chunks in the store."""

    digest: str
    version: str
    chunks: int


@dataclass(frozen=True)
class Pipeline:
    store: Store
    embedder: Embedder
    limits: Limits
    blobs: Blobs
    embedding: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="embedder"))
    """One thread: documents take turns, and parsers and the store work meanwhile."""

    @property
    def index_id(self) -> str:
        """Of how chunks are embedded and where they stand: documents of another one are indexed again."""
        return self.embedder.id + ("" if self.store.tenancy is Tenancy.DEDICATED else f" {self.store.tenancy}")

    def close(self) -> None:
        """Waits for the embedder, and frees its model."""
        self.embedding.shutdown(cancel_futures=True)
        self.embedder.close()
        self.store.close()

    def index(
        self, base: DesiredKnowledgeBase, file: File, document: Document, enter: Callable[[DocumentState, str], None]
    ) -> Generator["Future[Any] | None", None, Indexed]:
        """Make the store hold exactly the chunks of the file's current content, in steps of about a second at most.

        Calls `enter` with each new state and the digest. Raises `DocumentError`, `StoreError`, `NoSpaceError`.
        """
        scope = Scope(base.tenant, (base.name,))
        content = yield from self._content(file)
        digest = hashlib.sha256(content).hexdigest()
        current = version_of(digest, base, file, self.index_id, self.limits.ocr_languages)
        chunks = document.chunks
        if not self._holds(scope, document, current):
            enter(DocumentState.PARSING, digest)
            blocks = in_background(partial(parse, file.path, content, self.limits), f"parse {file.path}")
            while not blocks.done():
                yield blocks
            cut = yield from self._cut(base, blocks.result())
            enter(DocumentState.EMBEDDING, digest)
            yield from self._write(scope, file, document.id, current, cut)
            chunks = len(cut)
        if document.version or document.digest:  # otherwise nothing of it was ever written
            self.store.delete(scope, scope.other_versions(document.id, current))
        return Indexed(digest, current, chunks)

    def _holds(self, scope: Scope, document: Document, version: str) -> bool:
        """True if the store still has this version completely: chunks may have been deleted since."""
        if version != document.version:
            return False
        return self.store.count(scope, scope.version(document.id, version)) == document.chunks

    def _content(self, file: File) -> Generator["Future[Any]", None, bytes]:
        if not supported(file.path):
            raise unsupported(Path(file.path).suffix)
        if file.upload is None:
            return read(file, self.limits)
        uploaded = in_background(partial(self._uploaded, file.upload), f"read {file.path}")
        while not uploaded.done():
            yield uploaded
        return uploaded.result()

    def _uploaded(self, upload: Upload) -> bytes:
        try:
            content = self.blobs.read(upload.blob, self.limits.file_bytes + 1)
        except BlobsError as error:
            raise DocumentUnavailableError(reasons.STORE_UNAVAILABLE, str(error)) from error
        if content is None:
            raise DocumentUnavailableError(reasons.UNREADABLE, "its bytes are gone: upload it again")
        check_size(len(content), self.limits)  # which may be lower than at the upload
        return content

    def _cut(self, base: DesiredKnowledgeBase, blocks: Sequence[Block]) -> Generator[None, None, list[Block]]:
        cut: list[Block] = []
        for passage in passages(
            blocks, budget=min(base.chunk_tokens, self.embedder.passage_tokens), size=self.embedder.tokens
        ):
            if len(cut) == self.limits.chunks:
                raise DocumentError(reasons.TOO_LARGE, f"it makes more than {self.limits.chunks:,} chunks: split it")
            cut.append(passage)
            if len(cut) % CUT_AT_ONCE == 0:
                yield
        return cut

    def _write(
        self, scope: Scope, file: File, document_id: str, version: str, cut: Sequence[Block]
    ) -> Generator["Future[Any] | None", None, None]:
        """Store every chunk, and check by a fresh read that each is there."""
        ids = [identifier("chunk", document_id, version, str(ordinal)) for ordinal in range(len(cut))]
        dated = date_of(file, time.time())
        for start in range(0, len(cut), BATCH):
            part = cut[start : start + BATCH]
            vectors = yield from self._vectors(scope, part)
            self.store.upsert(
                scope,
                [
                    Chunk(
                        id=ids[start + position],
                        knowledge_base=scope.knowledge_bases[0],
                        document_id=document_id,
                        document=file.path,
                        file_id=file.upload.file_id if file.upload else FILE_PREFIX + document_id,
                        attributes=file.upload.attributes if file.upload else {},
                        version=version,
                        dated=dated,
                        ordinal=start + position,
                        page=block.page,
                        heading=block.heading,
                        text=block.text,
                        terms=tuple(terms(in_context(block))),
                        content=content_of(block),
                        embedder=self.embedder.id,
                        dense=vectors.get(content_of(block)),
                    )
                    for position, block in enumerate(part)
                ],
            )
            if len(cut) > BATCH:
                log.info("%s/%s: %s of %s chunks stored", scope.tenant, file.path, start + len(part), len(cut))
            yield None
        if (stored := self.store.count_existing(scope, ids)) != len(ids):
            raise StoreError(f"Milvus finds {stored} of the {len(ids)} chunks just written: it is tried again.")

    def _vectors(self, scope: Scope, blocks: Sequence[Block]) -> Generator["Future[Any]", None, dict[str, Vector]]:
        """Vectors of legible texts, by the digest of the embedded text; stored vectors are reused."""
        texts = {content_of(block): in_context(block) for block in blocks}
        legible = {key: text for key, text in texts.items() if self.embedder.legibility(text) >= ENOUGH}
        stored = dict(self.store.vectors(scope, self.embedder.id, list(legible)))
        new = {key: text for key, text in legible.items() if key not in stored}
        embedded = self.embedding.submit(self.embedder.embed, list(new.values()))
        while not embedded.done():
            yield embedded
        return stored | dict(zip(new, embedded.result(), strict=True))


def date_of(file: File, now: float) -> int:
    """Seconds since the epoch; 0 for a time in the future, which a wrong clock has set."""
    seconds = file.upload.created if file.upload else int(file.modified)
    return seconds if 0 < seconds <= now else 0


def in_context(block: Block) -> str:
    """The text to embed and match: the passage under its headings."""
    return f"{block.heading}\n{block.text}" if block.heading else block.text


def content_of(block: Block) -> str:
    return identifier("content", in_context(block))
