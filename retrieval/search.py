"""The path of one query: embed, search by both retrievers, rank by relevance, decide, re-rank."""

import asyncio
import base64
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from contract.search import Evidence, Match, Outcome, SearchRequest, SearchResponse, Seconds
from retrieval import exact
from retrieval.continuation import continued, may_continue, within
from retrieval.embedding.legibility import ENOUGH
from retrieval.embedding.model import Embedder, QueryCache
from retrieval.errors import RerankerError
from retrieval.lexical import query_terms
from retrieval.ranking import Hits, Query, most_relevant, ranked, reordered
from retrieval.relevance import decide
from retrieval.reranking.reranker import Reranker
from retrieval.retrievers import Retrievers
from retrieval.scope import Scope
from retrieval.store import Store

RERANKED = 20  # hits that a re-ranker reads: more cost time, and let in worse ones
_ANSWERABLE = (Outcome.EVIDENCE, Outcome.CONTINUED)

log = logging.getLogger(__name__)


class Search:
    """Answers queries, and holds the caches."""

    def __init__(
        self, store: Store, embedder: Embedder, *, cached: int, pool: int, reranker: Reranker | None = None
    ) -> None:
        self._store, self._embedder, self._reranker = store, embedder, reranker
        self._cache, self._retrievers = QueryCache(embedder, size=cached), Retrievers(store, embedder=embedder.id)
        self._pool = pool

    async def answer(self, request: SearchRequest) -> SearchResponse:
        """Raises `UnknownKnowledgeBaseError` and the store's errors."""
        begun = time.perf_counter()
        queries = await asyncio.to_thread(self._read, request)
        embedded = time.perf_counter()
        evidence, outcome = await self._find(request, queries)
        found = time.perf_counter()
        reranked = None
        if self._reranker and outcome in _ANSWERABLE:
            scores = await _scores(self._reranker, request.query, evidence[:RERANKED])
            evidence, reranked = reordered(evidence, scores), len(scores)
        return SearchResponse(
            outcome=outcome,
            evidence=evidence[: request.top_k] if outcome in _ANSWERABLE else [],
            considered=evidence if request.explain else [],
            reranked=reranked,
            embedding=base64.b64encode(queries[0].vector.astype("<f4").tobytes()).decode(),
            seconds=Seconds(embed=embedded - begun, search=found - embedded, rank=time.perf_counter() - found),
        )

    async def ping(self) -> None:
        """Raise unless an embedding can be made and the store answers."""
        await asyncio.to_thread(self._embedder.embed, ["ready?"])
        await asyncio.to_thread(self._store.tenants)

    def keep(self, tenants: frozenset[str]) -> None:
        """Drop cached queries and statistics of all other tenants."""
        self._cache.keep(tenants)
        self._retrievers.keep(tenants)

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

    async def _find(self, request: SearchRequest, queries: Sequence[Query]) -> tuple[list[Evidence], Outcome]:
        """The hits, best first, and what they are good for."""
        if not request.knowledge_bases:
            return [], Outcome.SCOPE_EMPTY
        scope = Scope(request.tenant, tuple(request.knowledge_bases))
        if request.match is not Match.ANY:
            evidence = await self._exact(request, scope, queries[0])
            return evidence, decide([item.score for item in evidence], 0.0)
        pool = max(self._pool, request.top_k)
        hits = await asyncio.gather(*(self._retrievers.hits(scope, query, pool, request.filter) for query in queries))
        evidence = await asyncio.to_thread(most_relevant, list(zip(hits, queries, strict=True)))
        outcome = decide([item.score for item in evidence], request.min_relevance)
        if outcome is Outcome.EVIDENCE or not request.answered:
            return evidence, outcome
        more = await self._continued(request, scope, queries[0], hits[0])
        return (more, Outcome.CONTINUED) if more else (evidence, outcome)

    async def _exact(self, request: SearchRequest, scope: Scope, query: Query) -> list[Evidence]:
        hits = await self._retrievers.hits_by_words(scope, query, exact.POOL, request.filter)
        matches = exact.having(request.match, request.query, query.terms)
        lexical = await asyncio.to_thread(lambda: [hit for hit in hits.lexical if matches(hit)])
        return ranked(replace(hits, lexical=lexical), query)

    async def _continued(self, request: SearchRequest, scope: Scope, message: Query, hits: Hits) -> list[Evidence]:
        """Passages of the document that the answer before the message is from; empty if it is from none, or the
        message is about something else."""
        statistics = await self._retrievers.statistics(scope)
        known = statistics.frequent.keys() | frozenset().union(*(hit.terms for hit in hits.by_id.values()))
        if not request.earlier and not may_continue(message.terms, known):
            return []
        answer = await asyncio.to_thread(self._query, request.tenant, request.answered)
        sources = ranked(await self._retrievers.hits(scope, answer, self._pool, request.filter), answer)
        if decide([item.score for item in sources], request.min_relevance) is not Outcome.EVIDENCE:
            return []
        document, pool = within(sources[0].file_id, request.filter), max(self._pool, request.top_k)
        of_message, of_answer = await asyncio.gather(
            *(self._retrievers.hits(scope, query, pool, document) for query in (message, answer))
        )
        return continued(ranked(of_message, message), ranked(of_answer, answer))


async def _scores(reranker: Reranker, question: str, evidence: Sequence[Evidence]) -> list[float]:
    """Empty if the re-ranker fails: hits then keep their order."""
    try:
        return await reranker.scores(question, [item.passage for item in evidence])
    except RerankerError as error:
        log.warning("%s", error)
        return []
