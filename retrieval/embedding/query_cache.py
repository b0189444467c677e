"""The vectors of the latest queries."""

from collections import OrderedDict
from threading import Lock

from retrieval.embedding.embedder import Embedder
from retrieval.embedding.vectors import Vectors


class QueryCache:
    """Separate for each tenant: a fast answer from a shared entry would reveal another tenant's question."""

    def __init__(self, embedder: Embedder, *, size: int) -> None:
        self._embedder, self._size = embedder, size
        self._vectors: OrderedDict[tuple[str, str], Vectors] = OrderedDict()
        self._lock = Lock()

    def embed(self, tenant: str, query: str) -> Vectors:
        """float32[dimensions] of length 1. Blocks. Raises `EmbedderError`."""
        with self._lock:
            if (tenant, query) in self._vectors:
                self._vectors.move_to_end((tenant, query))
                return self._vectors[tenant, query]
        vector: Vectors = self._embedder.embed_queries([query])[0]
        with self._lock:
            self._vectors[tenant, query] = vector
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
        return vector

    def keep(self, tenants: frozenset[str]) -> None:
        """Forget the queries of all other tenants."""
        with self._lock:
            for key in [key for key in self._vectors if key[0] not in tenants]:
                del self._vectors[key]
