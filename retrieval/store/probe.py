"""A start-up test of isolation, to refuse a store without working filters.

It writes chunks of two tenants, whose names no real tenant can have, and checks that no operation of one affects the
other. Some versions of Milvus ignored the filter in one kind of call, so every kind is tried.
"""

import time

import numpy as np

from retrieval.bm25 import query_vector
from retrieval.errors import IsolationError, StoreError
from retrieval.scope import Scope
from retrieval.store.milvus import Store
from retrieval.store.rows import Chunk, identifier

# Upper case: no tenant can have such a name, because Kubernetes allows only lower case.
_OURS = Scope("QUIVER-PROBE-A", ("probe",))
_THEIRS = Scope("QUIVER-PROBE-B", ("probe",))
_TERM, _EMBEDDER = "isolation", "probe"
_VISIBLE_SECONDS = 10.0  # a server shows a row within 0.6 s, and a busy one within 5
_PAUSE_SECONDS = 0.1


def prove_isolation(store: Store, dimension: int) -> None:
    """Raise `IsolationError` when one tenant can find, count or delete another's chunk. Leaves nothing behind."""
    _clean(store)
    try:
        for scope in (_OURS, _THEIRS):
            store.create(scope)
            store.upsert(scope, [_chunk(scope, dimension)])
        for scope in (_OURS, _THEIRS):
            _await_own(store, scope, dimension)
        _check(store.count(_OURS, _OURS.chunks()) == 1, "count")
        _check(store.count_existing(_OURS, [_id(_THEIRS)]) == 0, "read by id")
        store.delete(_OURS, _OURS.chunks_by_id([_id(_OURS), _id(_THEIRS)]))
        _check(store.count(_THEIRS, _THEIRS.chunks()) == 1, "delete")
    finally:
        _clean(store)


def _await_own(store: Store, scope: Scope, dimension: int) -> None:
    """Searches until they find the scope's own chunk. Raises StoreError if they do not, and IsolationError once they
    find another one: a search that finds nothing proves nothing."""
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while time.monotonic() < deadline:
        visible = _rows_visible(store, scope, dimension)
        _check(visible <= {_id(scope)}, "search")
        if visible:
            return
        time.sleep(_PAUSE_SECONDS)
    raise StoreError(
        f"Milvus does not find a row {_VISIBLE_SECONDS:.0f} s after it was written, so its isolation cannot be tried: "
        "check that its query nodes run and keep up; it is tried again."
    )


def _rows_visible(store: Store, scope: Scope, dimension: int) -> set[str]:
    by_words = store.lexical(scope, query_vector({_TERM: 1.0}), 10)
    return {hit.chunk_id for hit in (*store.dense(scope, _EMBEDDER, _vector(dimension), 10), *by_words)}


def _check(isolated: bool, call: str) -> None:
    if not isolated:
        raise IsolationError(f"The store does not isolate tenants: a {call} of one reached another. Use another store.")


def _clean(store: Store) -> None:
    for tenant in store.tenants() & {_OURS.tenant, _THEIRS.tenant}:
        store.drop(tenant)


def _id(scope: Scope) -> str:
    return identifier("probe", scope.tenant)


def _vector(dimension: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.full(dimension, dimension**-0.5, np.float32)


def _chunk(scope: Scope, dimension: int) -> Chunk:
    return Chunk(
        id=_id(scope), knowledge_base="probe", document_id="probe", document="probe", file_id="probe", attributes={},
        version="1", dated=0, ordinal=0, page=0, heading="", text=_TERM, terms=(_TERM,), content="probe",
        embedder=_EMBEDDER, dense=_vector(dimension),
    )  # fmt: skip
