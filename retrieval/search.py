"""The path of one query: embed, search by both retrievers, fuse, gate."""

import asyncio
import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass

from contract.search import Evidence, Outcome, SearchRequest, SearchResponse, Seconds
from retrieval.bm25 import Sparse, Statistics, query_vector
from retrieval.embedding.legibility import ENOUGH
from retrieval.embedding.model import Embedder, QueryCache
from retrieval.errors import UnknownKnowledgeBaseError
from retrieval.gate import Nearness, Thresholds, coverage, decide, names_missing
from retrieval.lexical import capitalised, query_terms
from retrieval.ranking import WeightedRanking, fuse
from retrieval.scope import Scope
from retrieval.store import Hit, Store
from retrieval.store.rows import Vector

WORTH_COVERAGE = 0.5  # the share of the question's terms in one chunk needed to trust the lexical retriever


@dataclass(frozen=True)
class Query:
    """A question as the retrievers see it."""

    vector: Vector
    legible: float  # the readable share of the text
    terms: list[str]
    names: list[str]  # capitalised terms that the embedder does not know


@dataclass(frozen=True)
class Hits:
    """The hits of each retriever, best first."""

    dense: Sequence[Hit]
    lexical: Sequence[Hit]

    @property
    def by_id(self) -> dict[str, Hit]:
        return {hit.chunk_id: hit for hit in (*self.dense, *self.lexical)}

    @property
    def chunk_terms(self) -> list[frozenset[str]]:
        """The terms of each chunk."""
        return [hit.terms for hit in self.by_id.values()]


class Search:
    """Answers queries, and holds the caches."""

    def __init__(self, store: Store, embedder: Embedder, *, cached: int, pool: int, thresholds: Thresholds) -> None:
        self._store, self._embedder = store, embedder
        self._cache = QueryCache(embedder, size=cached)
        self._pool, self._thresholds = pool, thresholds

    async def answer(self, request: SearchRequest) -> SearchResponse:
        """Raises `UnknownKnowledgeBaseError` and the store's errors."""
        begun = time.perf_counter()
        query = await asyncio.to_thread(self._read, request)
        embedded = time.perf_counter()
        hits = await self._find(request, query) if request.knowledge_bases else None
        searched = time.perf_counter()
        outcome, evidence = self._judge(hits, query, request.top_k) if hits else (Outcome.SCOPE_EMPTY, [])
        ranked = time.perf_counter()
        return SearchResponse(
            outcome=outcome,
            evidence=evidence,
            embedding=base64.b64encode(query.vector.astype("<f4").tobytes()).decode(),
            seconds=Seconds(embed=embedded - begun, search=searched - embedded, rank=ranked - searched),
        )

    async def ping(self) -> None:
        """Raise unless an embedding can be made and the store answers."""
        await asyncio.to_thread(self._embedder.embed, ["ready?"])
        await asyncio.to_thread(self._store.tenants)

    def keep(self, tenants: frozenset[str]) -> None:
        """Drop cached queries of all other tenants."""
        self._cache.keep(tenants)

    def _read(self, request: SearchRequest) -> Query:
        names = [word for word in capitalised(request.query) if not self._embedder.knows(word)]
        return Query(
            vector=self._cache.embed(request.tenant, request.query),
            legible=self._embedder.legibility(request.query),
            terms=query_terms(request.query),
            names=query_terms(" ".join(names)),
        )

    async def _find(self, request: SearchRequest, query: Query) -> Hits:
        scope = Scope(request.tenant, tuple(request.knowledge_bases))
        existing = await asyncio.to_thread(self._store.statistics_of, scope)
        for name in scope.knowledge_bases:
            if name not in existing:
                raise UnknownKnowledgeBaseError(f"The tenant has no knowledge base {name!r}: check its name.")
        pool = max(self._pool, request.top_k)
        weights = query_vector(query.terms, Statistics.merged(existing.values()))
        dense, lexical = await asyncio.gather(self._dense(scope, query, pool), self._lexical(scope, weights, pool))
        return Hits(dense, lexical)

    async def _dense(self, scope: Scope, query: Query, pool: int) -> list[Hit]:
        if query.legible < ENOUGH:
            return []
        return await asyncio.to_thread(self._store.dense, scope, query.vector, pool)

    async def _lexical(self, scope: Scope, weights: Sparse, pool: int) -> list[Hit]:
        return await asyncio.to_thread(self._store.lexical, scope, weights, pool) if weights else []

    def _judge(self, hits: Hits, query: Query, top_k: int) -> tuple[Outcome, list[Evidence]]:
        """The outcome, and the evidence if the gate passes."""
        nearness = nearness_of(hits, query)
        outcome = decide(nearness, len(hits.by_id), self._thresholds)
        return outcome, ranked(hits, query)[:top_k] if outcome is Outcome.EVIDENCE else []


def nearness_of(hits: Hits, query: Query) -> Nearness:
    return Nearness(
        cosine=hits.dense[0].score if hits.dense else None,
        coverage=coverage(query.terms, hits.chunk_terms),
        names_missing=names_missing(query.names, hits.chunk_terms),
    )


def worth_of_lexical(hits: Hits, query: Query) -> float:
    """The weight of lexical hits: 0 if there are dense hits and no chunk shares enough words with the question (the
    lexical hits are function words then), else 1."""
    shares_enough = coverage(query.terms, [hit.terms for hit in hits.lexical]) >= WORTH_COVERAGE
    return 1.0 if shares_enough or not hits.dense else 0.0


def ranked(results: Hits, query: Query) -> list[Evidence]:
    """All hits in the order of the fused legs."""
    hits = results.by_id
    dense, lexical = ({hit.chunk_id: hit.score for hit in leg} for leg in (results.dense, results.lexical))
    return [
        Evidence(
            chunk_id=chunk_id,
            document_id=hits[chunk_id].document_id,
            document=hits[chunk_id].document,
            knowledge_base=hits[chunk_id].knowledge_base,
            ordinal=hits[chunk_id].ordinal,
            heading=hits[chunk_id].heading,
            text=hits[chunk_id].text,
            score=score,
            dense_score=dense.get(chunk_id),
            lexical_score=lexical.get(chunk_id),
        )
        for chunk_id, score in fuse(
            [
                WeightedRanking(list(dense), query.legible),
                WeightedRanking(list(lexical), worth_of_lexical(results, query)),
            ]
        )
    ]
