"""The chunks of every tenant, in Milvus. The only package importing pymilvus.

Isolation is `Dedicated`: a collection per tenant, so neither rows nor BM25 statistics are shared. Every search, count
and delete takes a `Scope`, and every returned row is checked against it.
"""

from retrieval.store.milvus import Reads, Store
from retrieval.store.rows import Chunk, Hit, KnowledgeBaseRow

__all__ = ["Chunk", "Hit", "KnowledgeBaseRow", "Reads", "Store"]
