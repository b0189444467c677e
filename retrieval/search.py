"""The path of one query: embed, search by both retrievers, rank by relevance, decide, re-rank."""

import asyncio
import base64
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from contract.search import Evidence, Match, Outcome, SearchRequest, SearchResponse, Seconds
from retrieval import exact
from retrieval.continuation import continued, may_continue, within
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.legibility import ENOUGH
from retrieval.embedding.query_cache import QueryCache
from retrieval.errors import EmbedderError, RerankerError
from retrieval.lexical import query_terms
from retrieval.ranking import Hits, Query, most_relevant, ranked, reordered
from retrieval.relevance import decide
from retrieval.reranking.reranker import Reranker
from retrieval.retrievers import Retrievers
from retrieval.scope import Scope
from retrieval.store import Store
from retrieval.store.rows import Vector

PAUSE_S = 5.0  # after a failure of the embedder
RERANKED = 20  # hits that a re-ranker reads: more cost time, and let in worse ones
_ANSWERABLE = (Outcome.EVIDENCE, Outcome.CONTINUED)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """The hits of a search, best first, and what they are good for."""

    evidence: Sequence[Evidence]
    outcome: Outcome
    question: str = ""
    """What found them; empty where a re-ranker cannot tell more."""
    refused: Sequence[Evidence] = ()
    """Hits that were not good enough, where a document was taken instead."""
    other_embedder: int = 0
    """The number of hits with a vector of another embedder."""


class Search:
    """Answers queries, and holds the caches."""

    def __init__(
        self, store: Store, embedder: Embedder, *, cached: int, pool: int, reranker: Reranker | None = None
    ) -> None:
        self._store, self._embedder, self._reranker = store, embedder, reranker
        self._cache, self._retrievers = QueryCache(embedder, size=cached), Retrievers(store, embedder=embedder.id)
        self._pool, self._trial = pool, embedder.trial
        self._embeds_again = 0.0
        self._warned: set[str] = set()  # tenants with passages of another embedder

    async def answer(self, request: SearchRequest) -> SearchResponse:
        """Raises `UnknownKnowledgeBaseError` and the store's errors."""
        begun = time.perf_counter()
        queries = await asyncio.to_thread(self._read, request)
        embedded = time.perf_counter()
        result = await self._find(request, queries)
        searched = time.perf_counter()
        evidence, reranked = await self._reranked(result)
        return SearchResponse(
            outcome=result.outcome,
            evidence=evidence[: request.top_k] if result.outcome in _ANSWERABLE else [],
            considered=[*evidence, *result.refused] if request.explain else [],
            reranked=reranked,
            best=max((hit.score for hit in (*result.evidence, *result.refused)), default=None),
            other_embedder_hits=result.other_embedder,
            embedding=base64.b64encode(queries[0].vector.astype("<f4").tobytes()).decode(),
            embedder=self._embedder.id,
            embedded=bool(queries[0].vector.any()),
            seconds=Seconds(embed=embedded - begun, search=searched - embedded, rank=time.perf_counter() - searched),
        )

    async def ping(self) -> None:
        """Raise unless the store answers. Without the embedder, documents are found by their words."""
        await asyncio.to_thread(self._store.ping)

    def keep(self, tenants: frozenset[str]) -> None:
        """Drop cached queries and statistics of all other tenants."""
        self._cache.keep(tenants)
        self._retrievers.keep(tenants)
        self._warned &= tenants

    def _read(self, request: SearchRequest) -> list[Query]:
        """The question as it stands; a follow-up once more with the earlier questions, which may be cut."""
        query = self._query(request.tenant, request.query)
        if not request.earlier:
            return [query]
        return [query, self._query(request.tenant, "\n".join((request.query, *request.earlier)))]

    def _query(self, tenant: str, text: str) -> Query:
        vector = self._vector(tenant, text)
        return Query(
            text=text,
            vector=np.zeros(self._embedder.dimensions, np.float32) if vector is None else vector,
            is_read=vector is not None and self._embedder.legibility(text) >= ENOUGH,
            terms=query_terms(text),
            embedder=self._embedder.id,
            cosine=self._trial.cosine,
        )

    def _vector(self, tenant: str, text: str) -> Vector | None:
        """None if the embedder does not answer; it is left alone for a while then, since waiting takes a thread."""
        if time.monotonic() < self._embeds_again:
            return None
        try:
            return self._cache.embed(tenant, text)
        except EmbedderError as error:
            self._embeds_again = time.monotonic() + PAUSE_S
            log.warning("%s; questions are searched for by their words for %.0f s", error, PAUSE_S)
            return None

    async def _find(self, request: SearchRequest, queries: Sequence[Query]) -> Result:
        if not request.knowledge_bases:
            return Result([], Outcome.SCOPE_EMPTY)
        scope = Scope(request.tenant, tuple(request.knowledge_bases))
        if request.match is not Match.ANY:
            evidence = await self._exact(request, scope, queries[0])
            return Result(evidence, _outcome(evidence, 0.0), request.query)
        pool = max(self._pool, request.top_k)
        hits = await asyncio.gather(*(self._retrievers.hits(scope, query, pool, request.filter) for query in queries))
        evidence, query = await asyncio.to_thread(most_relevant, list(zip(hits, queries, strict=True)))
        outcome = _outcome(evidence, request.min_relevance)
        if outcome is not Outcome.EVIDENCE and request.answered:
            more = await self._continued(request, scope, queries[0], hits[0])
            if more:
                return Result(more, Outcome.CONTINUED, refused=evidence)
        return Result(evidence, outcome, query.text, other_embedder=self._of_other_embedder(request.tenant, hits[0]))

    def _of_other_embedder(self, tenant: str, hits: Hits) -> int:
        """The number of hits; the first ones of a tenant are logged."""
        others = [hit.embedder for hit in hits.by_id.values() if hit.embedder not in ("", self._embedder.id)]
        if not others:
            self._warned.discard(tenant)
        elif tenant not in self._warned:
            self._warned.add(tenant)
            log.warning(
                "passages of tenant %s are embedded by %s, and this process has %s: they are found by words alone "
                "until the ingest worker has embedded them again; if this stays, give both the same model",
                tenant, others[0], self._embedder.id,
            )  # fmt: skip
        return len(others)

    async def _exact(self, request: SearchRequest, scope: Scope, query: Query) -> list[Evidence]:
        hits = await self._retrievers.hits_by_words(scope, query, exact.POOL, request.filter)
        matches = exact.having(request.match, request.query, query.terms)
        return await asyncio.to_thread(
            lambda: ranked(replace(hits, lexical=[hit for hit in hits.lexical if matches(hit)]), query)
        )

    async def _continued(self, request: SearchRequest, scope: Scope, message: Query, hits: Hits) -> list[Evidence]:
        """Passages of the document that the answer before the message is from; empty if it is from none, or the
        message is about something else."""
        statistics = await self._retrievers.statistics(scope)
        vocabulary = statistics.frequent.keys() | frozenset().union(*(hit.terms for hit in hits.by_id.values()))
        if not may_continue(message.terms, vocabulary):
            return []
        answer = await asyncio.to_thread(self._query, request.tenant, request.answered)
        of_answer = await self._retrievers.hits(scope, answer, self._pool, request.filter)
        sources = await asyncio.to_thread(ranked, of_answer, answer)
        if _outcome(sources, request.min_relevance) is not Outcome.EVIDENCE:
            return []
        document, pool = within(sources[0].file_id, request.filter), max(self._pool, request.top_k)
        near = await asyncio.gather(
            *(self._retrievers.hits(scope, query, pool, document) for query in (message, answer))
        )
        return await asyncio.to_thread(lambda: continued(ranked(near[0], message), ranked(near[1], answer)))

    async def _reranked(self, result: Result) -> tuple[list[Evidence], int | None]:
        """The evidence in the re-ranker's order, and how many hits it read; None if it was not asked."""
        if self._reranker is None or not result.question or result.outcome is not Outcome.EVIDENCE:
            return list(result.evidence), None
        scores = await _scores(self._reranker, result.question, result.evidence[:RERANKED])
        return reordered(result.evidence, scores), len(scores)


def _outcome(evidence: Sequence[Evidence], least: float) -> Outcome:
    return decide([item.score for item in evidence], least)


async def _scores(reranker: Reranker, question: str, evidence: Sequence[Evidence]) -> list[float]:
    """Empty if the re-ranker fails: hits then keep their order."""
    try:
        return await reranker.scores(question, [item.passage for item in evidence])
    except RerankerError as error:
        log.warning("%s", error)
        return []
