"""The path of one query: embed, search by both retrievers, rank by relevance, decide, re-rank."""

import asyncio
import base64
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contract.filters import Filter
from contract.search import Evidence, Outcome, SearchRequest, SearchResponse, Seconds
from retrieval.bm25 import Sparse, Statistics, best_score, query_vector
from retrieval.continuation import continued, may_continue, within
from retrieval.embedding.legibility import ENOUGH
from retrieval.embedding.model import Embedder, QueryCache
from retrieval.errors import RerankerError, UnknownKnowledgeBaseError
from retrieval.lexical import query_terms
from retrieval.relevance import Signals, decide, relevance, shared
from retrieval.reranking.reranker import Reranker
from retrieval.scope import Scope
from retrieval.statistics_cache import StatisticsCache
from retrieval.store import Hit, Store
from retrieval.store.rows import Vector

RERANKED = 20  # hits that a re-ranker reads: more cost time, and let in worse ones

_ANSWERABLE = (Outcome.EVIDENCE, Outcome.CONTINUED)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Query:
    """A question as the retrievers see it."""

    vector: Vector
    is_read: bool
    """True if the embedder can read the question."""
    terms: list[str]


@dataclass(frozen=True)
class Hits:
    """The hits of each retriever, best first; the rarity of each term of the question, and of a term in no chunk."""

    dense: Sequence[Hit]
    lexical: Sequence[Hit]
    rarities: Mapping[str, float]
    largest_rarity: float

    @property
    def by_id(self) -> dict[str, Hit]:
        return {hit.chunk_id: hit for hit in (*self.dense, *self.lexical)}


class Search:
    """Answers queries, and holds the caches."""

    def __init__(
        self, store: Store, embedder: Embedder, *, cached: int, pool: int, reranker: Reranker | None = None
    ) -> None:
        self._store, self._embedder, self._reranker = store, embedder, reranker
        self._cache, self._statistics = QueryCache(embedder, size=cached), StatisticsCache(store)
        self._pool = pool

    async def answer(self, request: SearchRequest) -> SearchResponse:
        """Raises `UnknownKnowledgeBaseError` and the store's errors."""
        begun = time.perf_counter()
        queries = await asyncio.to_thread(self._read, request)
        embedded = time.perf_counter()
        hits = await self._find(request, queries) if request.knowledge_bases else []
        searched = time.perf_counter()
        evidence = await asyncio.to_thread(most_relevant, list(zip(hits, queries, strict=False)))
        outcome = decide([item.score for item in evidence], request.min_relevance) if hits else Outcome.SCOPE_EMPTY
        if outcome in (Outcome.NO_HITS, Outcome.BELOW_GATE) and (
            more := await self._continued(request, queries[0], hits[0])
        ):
            evidence, outcome = more, Outcome.CONTINUED
        reranked = None
        if self._reranker and outcome in _ANSWERABLE:
            scores = await _scores(self._reranker, request.query, evidence[:RERANKED])
            evidence, reranked = reordered(evidence, scores), len(scores)
        judged = time.perf_counter()
        return SearchResponse(
            outcome=outcome,
            evidence=evidence[: request.top_k] if outcome in _ANSWERABLE else [],
            considered=evidence if request.explain else [],
            reranked=reranked,
            embedding=base64.b64encode(queries[0].vector.astype("<f4").tobytes()).decode(),
            seconds=Seconds(embed=embedded - begun, search=searched - embedded, rank=judged - searched),
        )

    async def ping(self) -> None:
        """Raise unless an embedding can be made and the store answers."""
        await asyncio.to_thread(self._embedder.embed, ["ready?"])
        await asyncio.to_thread(self._store.tenants)

    def keep(self, tenants: frozenset[str]) -> None:
        """Drop cached queries and statistics of all other tenants."""
        self._cache.keep(tenants)
        self._statistics.keep(tenants)

    def _read(self, request: SearchRequest) -> list[Query]:
        """The question as it stands; a follow-up once more with the earlier questions, which may be cut."""
        query = self._query(request.tenant, request.query)
        if not request.earlier:
            return [query]
        return [query, self._query(request.tenant, "\n".join((request.query, *request.earlier)))]

    def _query(self, tenant: str, text: str) -> Query:
        return Query(
            vector=self._cache.embed(tenant, text),
            is_read=self._embedder.legibility(text) >= ENOUGH,
            terms=query_terms(text),
        )

    async def _find(self, request: SearchRequest, queries: Sequence[Query]) -> list[Hits]:
        scope = Scope(request.tenant, tuple(request.knowledge_bases))
        pool = max(self._pool, request.top_k)
        statistics = await asyncio.to_thread(self._statistics_of, scope)
        filter_ = request.filter
        return await asyncio.gather(*(self._hits(scope, query, statistics, pool, filter_) for query in queries))

    async def _continued(self, request: SearchRequest, message: Query, hits: Hits) -> list[Evidence]:
        """Passages of the document that the answer before the message is from; empty if it is from none, or the
        message is about something else."""
        if not request.answered:
            return []
        scope = Scope(request.tenant, tuple(request.knowledge_bases))
        statistics = await asyncio.to_thread(self._statistics_of, scope)
        known = statistics.frequent.keys() | frozenset().union(*(hit.terms for hit in hits.by_id.values()))
        if not request.earlier and not may_continue(message.terms, known):
            return []
        answer = await asyncio.to_thread(self._query, request.tenant, request.answered)
        sources = ranked(await self._hits(scope, answer, statistics, self._pool, request.filter), answer)
        if decide([item.score for item in sources], request.min_relevance) is not Outcome.EVIDENCE:
            return []
        filter_ = within(sources[0].file_id, request.filter)
        pool = max(self._pool, request.top_k)
        of_message, of_answer = await asyncio.gather(
            *(self._hits(scope, query, statistics, pool, filter_) for query in (message, answer))
        )
        return continued(ranked(of_message, message), ranked(of_answer, answer))

    def _statistics_of(self, scope: Scope) -> Statistics:
        existing = self._statistics.of(scope)
        for name in scope.knowledge_bases:
            if name not in existing:
                raise UnknownKnowledgeBaseError(f"The tenant has no knowledge base {name!r}: check its name.")
        return Statistics.merged(existing.values())

    async def _hits(
        self, scope: Scope, query: Query, statistics: Statistics, pool: int, filter_: Filter | None
    ) -> Hits:
        rarities = await asyncio.to_thread(statistics.rarities, query.terms)
        dense, lexical = await asyncio.gather(
            self._dense(scope, query, pool, filter_), self._lexical(scope, query_vector(rarities), pool, filter_)
        )
        return Hits(dense, lexical, rarities, statistics.largest_rarity)

    async def _dense(self, scope: Scope, query: Query, pool: int, filter_: Filter | None) -> list[Hit]:
        if not query.is_read:
            return []
        return await asyncio.to_thread(self._store.dense, scope, self._embedder.id, query.vector, pool, filter_)

    async def _lexical(self, scope: Scope, weights: Sparse, pool: int, filter_: Filter | None) -> list[Hit]:
        return await asyncio.to_thread(self._store.lexical, scope, weights, pool, filter_) if weights else []


async def _scores(reranker: Reranker, question: str, evidence: Sequence[Evidence]) -> list[float]:
    """Empty if the re-ranker fails: hits then keep their order."""
    try:
        return await reranker.scores(question, [item.passage for item in evidence])
    except RerankerError as error:
        log.warning("%s", error)
        return []


def reordered(evidence: Sequence[Evidence], scores: Sequence[float]) -> list[Evidence]:
    """The first hits, which have these scores, by score; then the others as they were."""
    scored = [item.model_copy(update={"rerank_score": score}) for item, score in zip(evidence, scores, strict=False)]
    return [*sorted(scored, key=lambda item: -(item.rerank_score or 0.0)), *evidence[len(scored) :]]


def most_relevant(searches: Sequence[tuple[Hits, Query]]) -> list[Evidence]:
    """The ranked hits of the search with the most relevant one; empty without any."""
    candidates = [ranked(hits, query) for hits, query in searches]
    return max(candidates, key=lambda evidence: evidence[0].score if evidence else -1.0, default=[])


def signals_of(hits: Hits, query: Query) -> dict[str, Signals]:
    """The signals of each hit, by chunk id. A hit that only one retriever returned is worse for the other one than all
    its hits, so it gets the lowest score of these."""
    cosines, scores = ({hit.chunk_id: hit.score for hit in leg} for leg in (hits.dense, hits.lexical))
    least_cosine = min(cosines.values(), default=0.0)
    # If the retriever returned few hits, the others have no term of the question.
    least_score = min(scores.values(), default=0.0) if len(scores) >= len(cosines) else 0.0
    total, best = sum(hits.rarities.values()) or 1.0, best_score(hits.rarities) or 1.0
    common = {chunk_id: shared(hits.rarities, hit.terms) for chunk_id, hit in hits.by_id.items()}
    return {
        chunk_id: Signals(
            cosine=cosines.get(chunk_id, least_cosine) if query.is_read else None,
            coverage=common[chunk_id] / total,
            match=scores.get(chunk_id, least_score) / best,
            matched=common[chunk_id] / hits.largest_rarity,
        )
        for chunk_id in common
    }


def ranked(hits: Hits, query: Query) -> list[Evidence]:
    """All hits, the most relevant first; ties in order of id."""
    signals = signals_of(hits, query)
    dense, lexical = ({hit.chunk_id: hit.score for hit in leg} for leg in (hits.dense, hits.lexical))
    evidence = (
        Evidence(
            chunk_id=chunk_id,
            document_id=hit.document_id,
            document=hit.document,
            file_id=hit.file_id,
            attributes=dict(hit.attributes),
            knowledge_base=hit.knowledge_base,
            ordinal=hit.ordinal,
            heading=hit.heading,
            text=hit.text,
            score=relevance(signals[chunk_id]),
            dense_score=dense.get(chunk_id),
            lexical_score=lexical.get(chunk_id),
        )
        for chunk_id, hit in hits.by_id.items()
    )
    return sorted(evidence, key=lambda item: (-item.score, item.chunk_id))
