"""The two retrievers of a scope, by meaning and by words, and the statistics that words are weighed by."""

import asyncio

from contract.filters import Filter
from retrieval.bm25 import Sparse, Statistics, query_vector
from retrieval.errors import StoreUnsupportedError, UnknownKnowledgeBaseError
from retrieval.ranking import Hits, Query
from retrieval.scope import Scope
from retrieval.statistics_cache import StatisticsCache
from retrieval.store import Hit, Store


class Retrievers:
    """Every method raises the store's errors."""

    def __init__(self, store: Store, *, embedder: str) -> None:
        """`embedder` is the id of the model that embeds questions."""
        self._store, self._embedder = store, embedder
        self._statistics = StatisticsCache(store)

    def keep(self, tenants: frozenset[str]) -> None:
        """Drop the statistics of all other tenants."""
        self._statistics.keep(tenants)

    async def statistics(self, scope: Scope) -> Statistics:
        """Raises UnknownKnowledgeBaseError."""
        existing = await asyncio.to_thread(self._statistics.of, scope)
        for name in scope.knowledge_bases:
            if name not in existing:
                raise UnknownKnowledgeBaseError(f"The tenant has no knowledge base {name!r}: check its name.")
        return Statistics.merged(existing.values())

    async def hits(self, scope: Scope, query: Query, pool: int, filter_: Filter | None) -> Hits:
        """At most `pool` hits of each retriever. Raises UnknownKnowledgeBaseError."""
        statistics = await self.statistics(scope)
        rarities = await asyncio.to_thread(statistics.rarities, query.terms)
        dense, lexical = await asyncio.gather(
            self._dense(scope, query, pool, filter_), self._lexical(scope, query_vector(rarities), pool, filter_)
        )
        return Hits(dense, lexical, rarities, statistics.largest_rarity)

    async def hits_by_words(self, scope: Scope, query: Query, pool: int, filter_: Filter | None) -> Hits:
        """The hits of the retriever by words alone. Raises UnknownKnowledgeBaseError and StoreUnsupportedError."""
        if not await asyncio.to_thread(self._store.can_search_words):
            raise StoreUnsupportedError("This Milvus cannot search for words: use Milvus 2.4 or later.")
        statistics = await self.statistics(scope)
        rarities = await asyncio.to_thread(statistics.rarities, query.terms)
        lexical = await self._lexical(scope, query_vector(rarities), pool, filter_)
        return Hits([], lexical, rarities, statistics.largest_rarity)

    async def _dense(self, scope: Scope, query: Query, pool: int, filter_: Filter | None) -> list[Hit]:
        if not query.is_read:
            return []
        return await asyncio.to_thread(self._store.dense, scope, self._embedder, query.vector, pool, filter_)

    async def _lexical(self, scope: Scope, weights: Sparse, pool: int, filter_: Filter | None) -> list[Hit]:
        return await asyncio.to_thread(self._store.lexical, scope, weights, pool, filter_) if weights else []
