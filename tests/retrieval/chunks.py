"""Chunks for tests, made as the pipeline makes them."""

from collections.abc import Sequence

from retrieval.embedding.embedder import Embedder
from retrieval.embedding.legibility import ENOUGH
from retrieval.lexical import terms
from retrieval.scope import Scope
from retrieval.store import Chunk, Store
from retrieval.store.rows import identifier


def stored(store: Store, embedder: Embedder, scope: Scope, texts: Sequence[str]) -> list[Chunk]:
    """One document per text, in the scope's first knowledge base."""
    store.create(scope)
    vectors = embedder.embed(texts)
    chunks = [
        Chunk(
            id=identifier(scope.tenant, scope.knowledge_bases[0], str(number)),
            knowledge_base=scope.knowledge_bases[0],
            document_id=f"document-{number}",
            document=f"{number}.txt",
            file_id=f"file-{number}",
            attributes={"number": number},
            version="1",
            dated=1_700_000_000 + number,
            ordinal=0,
            page=0,
            heading="",
            text=text,
            terms=tuple(terms(text)),
            content=identifier(text),
            embedder=embedder.id,
            dense=vectors[number] if embedder.legibility(text) >= ENOUGH else None,
        )
        for number, text in enumerate(texts)
    ]
    store.upsert(scope, chunks)
    return chunks
