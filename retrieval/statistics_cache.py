"""The statistics of knowledge bases, read at most once a second: a reading costs as much as a search."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock

from retrieval.bm25 import Statistics
from retrieval.scope import Scope
from retrieval.store import Store

AGE_S = 1.0
SCOPES = 256  # the latest used ones; the statistics of a knowledge base take up to 60 KB


class StatisticsCache:
    """Thread-safe; `of` blocks. Scopes of different tenants never share an entry."""

    def __init__(self, store: Store, *, scopes: int = SCOPES, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._scopes, self._clock, self._lock = store, scopes, clock, Lock()
        self._entries: OrderedDict[Scope, tuple[float, Mapping[str, Statistics]]] = OrderedDict()

    def of(self, scope: Scope) -> Mapping[str, Statistics]:
        """The statistics of the scope's existing knowledge bases. A missing one is looked for at every call."""
        with self._lock:
            read_at, statistics = self._entries.get(scope, (-AGE_S, {}))
        if statistics and self._clock() - read_at < AGE_S:
            return statistics
        statistics = self._store.statistics_of(scope)
        with self._lock:
            self._entries.pop(scope, None)
            if len(statistics) == len(scope.knowledge_bases):
                self._entries[scope] = (self._clock(), statistics)
            while len(self._entries) > self._scopes:
                self._entries.popitem(last=False)
        return statistics

    def keep(self, tenants: frozenset[str]) -> None:
        """Forget the scopes of all other tenants."""
        with self._lock:
            for scope in [scope for scope in self._entries if scope.tenant not in tenants]:
                del self._entries[scope]
