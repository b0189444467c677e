"""Knowledge bases in a real Milvus Lite, and searches in them by the product's own code."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.retrieval.questions import Document
from operators.local.layout import free_port
from retrieval.bm25 import Statistics, query_vector
from retrieval.embedding.legibility import ENOUGH
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.ingest.chunk import Block, passages
from retrieval.ingest.pipeline import content_of, in_context
from retrieval.lexical import query_terms, terms
from retrieval.ranking import Hits, Query
from retrieval.scope import Scope
from retrieval.store import Chunk, KnowledgeBaseRow, Store
from retrieval.store.rows import Vector, identifier
from tests.retrieval.conftest import milvus_lite

MODEL = Path("build/models/minilm")
CHUNK_TOKENS = 160
POOL = 10
DIMENSIONS = 384


@contextmanager
def milvus() -> Iterator[Store]:
    """A store of its own, with its server."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data, milvus_lite(Path(data), port):
        store = Store(f"http://127.0.0.1:{port}", dimension=DIMENSIONS, timeout=60)
        try:
            yield store
        finally:
            store.close()


@dataclass(frozen=True)
class Passage:
    """A chunk before it is stored."""

    document: int
    passage: int  # within its document
    block: Block
    vector: Vector | None


class Library:
    """The passages of a collection, embedded once, and knowledge bases of some of its documents."""

    def __init__(self, store: Store, embedder: SentenceEncoder, documents: Sequence[Document]) -> None:
        self.store, self.embedder = store, embedder
        cut = [
            (number, position, block)
            for number, document in enumerate(documents)
            for position, text in enumerate(document.passages)
            for block in passages([Block(document.title, text)], budget=CHUNK_TOKENS, size=embedder.tokens)
        ]
        self.passages = [Passage(number, position, block, self._vector(block)) for number, position, block in cut]

    def _vector(self, block: Block) -> Vector | None:
        text = in_context(block)
        return self.embedder.embed([text])[0] if self.embedder.legibility(text) >= ENOUGH else None

    def shelf(self, name: str, documents: frozenset[int]) -> "Shelf":
        """A knowledge base of these documents, in a tenant of its own."""
        scope = Scope(name, ("docs",))
        self.store.create(scope)
        kept = {number: each for number, each in enumerate(self.passages) if each.document in documents}
        chunks = [self._chunk(name, number, each) for number, each in kept.items()]
        self.store.upsert(scope, chunks)
        statistics = Statistics.of([frozenset(chunk.terms) for chunk in chunks])
        self.store.publish(name, KnowledgeBaseRow("docs", statistics))
        self.store.settle(scope)
        return Shelf(self.store, self.embedder, scope, statistics)

    def _chunk(self, name: str, number: int, passage: Passage) -> Chunk:
        return Chunk(
            id=identifier(name, str(number)),
            knowledge_base="docs",
            document_id=str(passage.document),
            document=str(passage.document),
            file_id=f"file-{passage.document}",
            attributes={},
            version="1",
            dated=0,
            ordinal=number,
            page=0,
            heading=passage.block.heading,
            text=passage.block.text,
            terms=tuple(terms(in_context(passage.block))),
            content=content_of(passage.block),
            embedder=self.embedder.id,
            dense=passage.vector,
        )


@dataclass(frozen=True)
class Shelf:
    """A knowledge base. The ordinal of a hit is its number among the library's passages."""

    store: Store
    embedder: SentenceEncoder
    scope: Scope
    statistics: Statistics

    def find(self, question: str) -> tuple[Hits, Query]:
        is_read = self.embedder.legibility(question) >= ENOUGH
        query = Query(
            question, self.embedder.embed_queries([question])[0], is_read, query_terms(question), self.embedder.id
        )
        rarities = self.statistics.rarities(query.terms)
        dense = self.store.dense(self.scope, self.embedder.id, query.vector, POOL) if is_read else []
        return Hits(
            dense,
            self.store.lexical(self.scope, query_vector(rarities), POOL),
            rarities,
            self.statistics.largest_rarity,
        ), query
