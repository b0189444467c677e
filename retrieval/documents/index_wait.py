"""Waits until the worker has made the index follow a change, and checks it by a fresh read."""

import asyncio
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import partial

from retrieval.documents.uploads import source_of
from retrieval.documents.vector_stores import Key
from retrieval.errors import RetrievalError
from retrieval.ingest.ledger import Ledger
from retrieval.scope import Scope
from retrieval.store import Store

LONGEST_SECONDS = 5.0  # a caller waits so long for a busy worker
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class IndexWait:
    store: Store
    ledger: Ledger

    async def until_made(self, key: Key) -> bool:
        """True once the knowledge base can be searched."""
        tenant, name = key
        return await _becomes_true(lambda: name in self._searchable(Scope(tenant, (name,))))

    async def until_file_gone(self, keys: Sequence[Key], file_id: str) -> bool:
        """True once no knowledge base has a passage of the file; false if the worker does not come to it in time."""
        return await _becomes_true(lambda: all(self._is_gone(key, file_id) for key in keys))

    async def until_store_gone(self, key: Key) -> bool:
        """True once nothing of the knowledge base is left."""
        return await _becomes_true(partial(self._is_empty, key))

    def _searchable(self, scope: Scope) -> Container[str]:
        try:
            return self.store.statistics_of(scope)
        except RetrievalError:
            return ()

    def has_progress(self, key: Key, file_id: str | None) -> bool:
        """True if the worker has not finished the deletion of a file, or of the whole knowledge base."""
        if file_id is not None:
            return self.ledger.of_source(*key, source_of(file_id)) is not None
        return any((base.tenant, base.name) == key for base in self.ledger.leaving())

    def _is_gone(self, key: Key, file_id: str) -> bool:
        return not self.has_progress(key, file_id) and self._counts_none(key, file_id)

    def _is_empty(self, key: Key) -> bool:
        return not self.has_progress(key, None) and self._counts_none(key)

    def _counts_none(self, key: Key, file_id: str = "") -> bool:
        """The worker deletes rows before it forgets them, so this finds something only if the store has lost a
        deletion."""
        tenant, name = key
        scope = Scope(tenant, (name,))
        try:
            return self.store.count(scope, scope.file(file_id) if file_id else scope.filter()) == 0
        except RetrievalError:
            return False


async def _becomes_true(check: Callable[[], bool]) -> bool:
    """False if it does not within `LONGEST_SECONDS`."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        if await asyncio.to_thread(check):
            return True
        await asyncio.sleep(_POLL_SECONDS)
    return False
