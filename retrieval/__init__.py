"""Per-tenant document search: the query path (`python -m retrieval`) and the ingest worker
(`python -m retrieval.ingest`).

Knows nothing of Kubernetes. Only `retrieval.store` imports pymilvus; only `retrieval.scope` writes a filter.
"""
