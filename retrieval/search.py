"""The path of one query: embed, search both legs, fuse, gate."""

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
from retrieval.ranking import Leg, fuse
from retrieval.scope import Scope
from retrieval.store import Hit, Store
from retrieval.store.rows import Vector

WORTH_COVERAGE = 0.5  # the share of the question's terms in one chunk needed to trust the lexical retriever


@dataclass(frozen=True)
class Query:
    """A question as the legs see it."""

    vector: Vector
    legible: float  # the readable share of the text
    terms: list[str]
    names: list[str]  # the terms unknown to the embedder


@dataclass(frozen=True)
class Found:
    """The hits of each retriever, best first."""

    dense: Sequence[Hit]
    lexical: Sequence[Hit]

    @property
    def by_id(self) -> dict[str, Hit]:
        return {hit.chunk_id: hit for hit in (*self.dense, *self.lexical)}

    @property
    def held(self) -> list[frozenset[str]]:
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
        found = await self._find(request, query) if request.knowledge_bases else None
        searched = time.perf_counter()
        outcome, evidence = self._judge(found, query, request.top_k) if found else (Outcome.SCOPE_EMPTY, [])
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

    async def _find(self, request: SearchRequest, query: Query) -> Found:
        scope = Scope(request.tenant, tuple(request.knowledge_bases))
        known = await asyncio.to_thread(self._store.known, scope)
        for name in scope.knowledge_bases:
            if name not in known:
                raise UnknownKnowledgeBaseError(f"The tenant has no knowledge base {name!r}: check its name.")
        pool = max(self._pool, request.top_k)
        weights = query_vector(query.terms, Statistics.merged(known.values()))
        dense, lexical = await asyncio.gather(self._dense(scope, query, pool), self._lexical(scope, weights, pool))
        return Found(dense, lexical)

    async def _dense(self, scope: Scope, query: Query, pool: int) -> list[Hit]:
        if query.legible < ENOUGH:
            return []
        return await asyncio.to_thread(self._store.dense, scope, query.vector, pool)

    async def _lexical(self, scope: Scope, weights: Sparse, pool: int) -> list[Hit]:
        return await asyncio.to_thread(self._store.lexical, scope, weights, pool) if weights else []

    def _judge(self, found: Found, query: Query, top_k: int) -> tuple[Outcome, list[Evidence]]:
        """The outcome, and the evidence passing it."""
        nearness = nearness_of(found, query)
        outcome = decide(nearness, len(found.by_id), self._thresholds)
        return outcome, ranked(found, query)[:top_k] if outcome is Outcome.EVIDENCE else []


def nearness_of(found: Found, query: Query) -> Nearness:
    return Nearness(
        cosine=found.dense[0].score if found.dense else None,
        coverage=coverage(query.terms, found.held),
        names_missing=names_missing(query.names, found.held),
    )


def worth_of_lexical(found: Found, query: Query) -> float:
    """1, or 0 if there are dense hits and every chunk shares too few words with the question: the lexical hits are
    function words then, and would spoil the dense ones."""
    shares_enough = coverage(query.terms, [hit.terms for hit in found.lexical]) >= WORTH_COVERAGE
    return 1.0 if shares_enough or not found.dense else 0.0


def ranked(found: Found, query: Query) -> list[Evidence]:
    """All hits in the order of the fused legs."""
    hits = found.by_id
    dense, lexical = ({hit.chunk_id: hit.score for hit in leg} for leg in (found.dense, found.lexical))
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
            [Leg(list(dense), query.legible), Leg(list(lexical), worth_of_lexical(found, query))]
        )
    ]
