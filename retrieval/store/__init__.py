"""The chunks of every tenant, in Milvus. The only package importing pymilvus.

A tenant has a collection of its own, or shares one with all tenants; BM25 statistics are never shared. Every search,
count and delete takes a `Scope`, and every returned row is checked against it.
"""

from retrieval.store.milvus import Store
from retrieval.store.reads import Reads
from retrieval.store.rows import Chunk, Hit, KnowledgeBaseRow

__all__ = ["Chunk", "Hit", "KnowledgeBaseRow", "Reads", "Store"]
