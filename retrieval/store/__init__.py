"""The chunks of every tenant, in Milvus. The only package that imports pymilvus.

Isolation is `Dedicated`: a collection per tenant, so that neither rows nor BM25 statistics are shared. Every
search, count and delete takes a `Scope`, and every row that comes back is checked against it.
"""

from retrieval.store.milvus import Store
from retrieval.store.rows import Card, Chunk, Hit

__all__ = ["Card", "Chunk", "Hit", "Store"]
