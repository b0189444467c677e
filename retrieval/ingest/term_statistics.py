"""The statistics of a knowledge base's terms, which searches weigh words by."""

import contextlib

from retrieval.bm25 import Statistics
from retrieval.errors import StoreError
from retrieval.ingest.ledger import Ledger
from retrieval.ingest.progress import Progress
from retrieval.ingest.task_failures import Key
from retrieval.scope import Scope
from retrieval.store import KnowledgeBaseRow, Store

SAMPLED_CHUNKS = 5_000
# A document that adds a larger part to its knowledge base is ready only once the statistics count it.
NOTICEABLE = 0.25


class TermStatistics:
    def __init__(self, store: Store, ledger: Ledger, progress: Progress) -> None:
        self._store, self._ledger, self._progress = store, ledger, progress

    def renew(self, key: Key) -> None:
        """Count the terms of a whole knowledge base anew, and publish them for searches."""
        tenant, name = key
        scope = Scope(tenant, (name,))
        self._store.publish(tenant, KnowledgeBaseRow(name, Statistics.of(self._store.terms(scope, SAMPLED_CHUNKS))))
        self._store.settle(scope)
        self._progress.untidy.pop(key, None)

    def add(self, key: Key, chunks: int) -> None:
        """Counts a changed document, and its chunks that are not in the ledger yet."""
        self._progress.untidy[key] += 1 + chunks
        if self._progress.untidy[key] > NOTICEABLE * (self._ledger.chunks(*key) + chunks):
            with contextlib.suppress(StoreError):  # it stays untidy, and the worker's next turns try it again
                self.renew(key)
