"""The statistics of knowledge bases, at most a second old: a reading costs as much as a search."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock

from retrieval.bm25 import Statistics
from retrieval.scope import Scope
from retrieval.store import Store

AGE_S = 1.0
MOST = 128  # knowledge bases, the latest read ones; the statistics of one take up to 0.5 MB


class StatisticsCache:
    """Thread-safe; `of` blocks. Tenants never share an entry."""

    def __init__(self, store: Store, *, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._most, self._clock, self._lock = store, most, clock, Lock()
        self._entries: OrderedDict[tuple[str, str], tuple[float, Statistics]] = OrderedDict()

    def of(self, scope: Scope) -> Mapping[str, Statistics]:
        """The statistics of the scope's existing knowledge bases. A missing one is looked for at every call."""
        fresh = self._fresh(scope)
        if missing := tuple(name for name in scope.knowledge_bases if name not in fresh):
            read = self._store.statistics_of(Scope(scope.tenant, missing))
            self._put(scope.tenant, read)
            return {**fresh, **read}
        return fresh

    def keep(self, tenants: frozenset[str]) -> None:
        """Forget the knowledge bases of all other tenants."""
        with self._lock:
            for key in [key for key in self._entries if key[0] not in tenants]:
                del self._entries[key]

    def _fresh(self, scope: Scope) -> dict[str, Statistics]:
        since = self._clock() - AGE_S
        with self._lock:
            entries = {name: self._entries.get((scope.tenant, name)) for name in scope.knowledge_bases}
        return {name: entry[1] for name, entry in entries.items() if entry and entry[0] > since}

    def _put(self, tenant: str, read: Mapping[str, Statistics]) -> None:
        with self._lock:
            for name, statistics in read.items():
                self._entries[tenant, name] = (self._clock(), statistics)
                self._entries.move_to_end((tenant, name))
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
