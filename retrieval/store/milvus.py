"""Reads and writes rows in Milvus. Every method blocks on the network: call it off the event loop."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import grpc
import numpy as np
from pymilvus import MilvusClient, MilvusException
from pymilvus.client.types import LoadState

from contract.filters import Filter
from retrieval.bm25 import Sparse, Statistics
from retrieval.errors import StoreError, StoreUnsupportedError
from retrieval.scope import CARDS, EVERYTHING, Scope, every_card, every_chunk, every_row
from retrieval.store.failures import check_authority, translated
from retrieval.store.hits import HIT_FIELDS, best, hit_of
from retrieval.store.names import Tenancy, owner_of
from retrieval.store.reads import Reads
from retrieval.store.rows import Chunk, Hit, KnowledgeBaseRow, Row, Vector
from retrieval.store.schema import LEXICAL, collection_schema, index_params, is_current
from retrieval.store.tenant_collections import TenantCollections
from retrieval.store.version import has_sound_partition_keys, has_sparse_vectors, unsupported

T = TypeVar("T")

_PAGE = 500  # rows or ids per call
_NO_COLLECTION = 100  # Milvus' error code
# pymilvus pings every 10 s even between calls. gRPC servers with the default limits (Milvus Lite) end such a
# connection with "too many pings", and the next call fails. With these options it pings only while a call runs.
_GRPC_OPTIONS = {"grpc.keepalive_permit_without_calls": 0, "grpc.keepalive_time_ms": 300_000}

_NO_SPARSE_VECTORS = (
    "Milvus at %s (%s) has no sparse vectors: passages are searched by meaning alone, so those in a language that the "
    "embedder cannot read are not found; use Milvus 2.4 or later."
)

log = logging.getLogger(__name__)

# The client logs every failed call with a stack trace; our own error has the relevant part.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)


class Store:
    """A connection, opened at the first call; the client itself reconnects after a loss.

    Chunks are written into the tenant's current collection. Others, which another tenancy or an embedder with vectors
    of another size has left, are searched, and deleted from, until nothing of the tenant is in them.
    """

    def __init__(
        self,
        uri: str,
        *,
        token: str = "",
        ca: Path | None = None,
        dimension: int,
        timeout: float = 5.0,
        reads: Reads = Reads.QUICK,
        tenancy: Tenancy = Tenancy.DEDICATED,
    ) -> None:
        self._uri, self._token, self._ca, self._dimension, self._timeout = uri, token, ca, dimension, timeout
        self._reads = reads
        self._client: MilvusClient | None = None
        self._sparse = self._partition_keys = True
        self._opening = Lock()
        self.tenancy = tenancy
        self._collections = TenantCollections(dimension, tenancy, self._listed)

    def ping(self) -> None:
        """Raises unless the store answers."""
        self._listed()

    def tenants(self) -> frozenset[str]:
        """All tenants with a collection of their own, or a knowledge base in one of all tenants."""
        tenants: set[str] = set()
        for name in self._listed():
            if owner := owner_of(name):
                tenants |= {owner.tenant} if owner.tenant else self._values(name, CARDS, "tenant").keys()
        return frozenset(tenants)

    def create(self, scope: Scope) -> None:
        """Create the tenant's collection and the cards of the scope's knowledge bases, if they are missing."""
        self._make(self._name(scope.tenant))
        for name in self._collections.left(scope.tenant):
            self._load(name)
        existing = self._statistics([self._name(scope.tenant)], scope)
        if missing := frozenset(scope.knowledge_bases) - existing.keys():
            inherited = self.statistics_of(scope)
            for name in missing:
                self.publish(scope.tenant, KnowledgeBaseRow(name, inherited.get(name, Statistics())))

    def _make(self, name: str) -> None:
        with self._calls(f"create {name}") as client:
            if client.has_collection(name, timeout=self._timeout) and not is_current(
                client.describe_collection(name, timeout=self._timeout), sparse=self._sparse
            ):
                log.warning("%s was made by another release, or for another Milvus: it is made again", name)
                client.drop_collection(name, timeout=self._timeout)
            if not client.has_collection(name, timeout=self._timeout):
                partitioned = self.tenancy is Tenancy.SHARED and self._partition_keys
                schema = collection_schema(self._dimension, sparse=self._sparse, partitioned=partitioned)
                client.create_collection(name, schema=schema, consistency_level=Reads.QUICK, timeout=self._timeout)
        self._load(name)

    def _load(self, name: str) -> None:
        with self._calls(f"load {name}") as client:
            if client.get_load_state(name, timeout=self._timeout)["state"] != LoadState.Loaded:
                # Loading waits for all indexes. Waiting for each index separately would poll every half second.
                client.create_index(name, index_params(sparse=self._sparse), sync=False, timeout=self._timeout)
                client.load_collection(name, timeout=self._timeout)

    def publish(self, tenant: str, card: KnowledgeBaseRow) -> None:
        """Write the card of a knowledge base, in place of the earlier one."""
        name = self._name(tenant)
        with self._calls(f"upsert into {name}") as client:
            client.upsert(name, [self._stored(card.row(tenant, self._dimension))], timeout=self._timeout)

    def drop(self, tenant: str) -> None:
        """Remove all rows of the tenant and prove their absence."""
        for name in self._listed():
            owner = owner_of(name)
            if owner is not None and owner.tenant in ("", tenant):
                self._leave(name, tenant)

    def drop_emptied(self, tenant: str) -> None:
        """Remove what is left of the tenant in other collections than the current one, if it is no chunk, and every
        statistic of it is in the current one, too."""
        current = self._cards([self._name(tenant)], tenant)
        for name in self._collections.left(tenant):
            if self._cards([name], tenant) <= current and not self._count([name], every_chunk(tenant)):
                self._leave(name, tenant)
                if not self._count([name], EVERYTHING):
                    self._drop(name)

    def _leave(self, name: str, tenant: str) -> None:
        """Drops a collection of the tenant's own; deletes the tenant's rows from another one, its cards last: they say
        that there are others."""
        owner = owner_of(name)
        if owner is not None and owner.tenant == tenant:
            self._drop(name)
            return
        for filter_ in (every_chunk(tenant), every_row(tenant)):
            if self._count([name], filter_):
                self._delete(name, filter_)
            if self._count([name], filter_):
                raise StoreError(f"Milvus still has rows of {tenant} in {name} after their deletion: tried again.")

    def _drop(self, name: str) -> None:
        with self._calls(f"drop {name}") as client:
            client.drop_collection(name, timeout=self._timeout)
            if client.has_collection(name, timeout=self._timeout):
                raise StoreError(f"Milvus still lists {name} after dropping it: it is tried again.")
        self._collections.forget()

    def _delete(self, name: str, filter_: str) -> None:
        """Nothing to do without the collection."""
        with self._calls(f"delete in {name}") as client:
            try:
                client.delete(name, filter=filter_, timeout=self._timeout)
            except MilvusException as error:
                if error.code != _NO_COLLECTION:
                    raise

    def statistics_of(self, scope: Scope) -> Mapping[str, Statistics]:
        """The statistics of the scope's existing knowledge bases."""
        return self._statistics(self._names(scope.tenant), scope)

    def knowledge_bases(self, tenant: str) -> frozenset[str]:
        """All knowledge bases of a tenant in the store, desired or not."""
        return self._cards(self._names(tenant), tenant)

    def _cards(self, names: Sequence[str], tenant: str) -> frozenset[str]:
        rows = self._rows(names, every_card(tenant), ["knowledge_base"])
        return frozenset(row["knowledge_base"] for row in rows)

    def upsert(self, scope: Scope, chunks: Sequence[Chunk]) -> None:
        """Write chunks of the scope's tenant; chunks with the same ids are replaced."""
        name = self._name(scope.tenant)
        with self._calls(f"upsert into {name}") as client:
            for page in _pages(chunks):
                rows = [self._stored(chunk.row(scope.tenant, self._dimension)) for chunk in page]
                client.upsert(name, rows, timeout=self._timeout)

    def delete(self, scope: Scope, filter_: str) -> None:
        """Delete the rows matching a scope's filter, and check by a count for none left."""
        names = self._names(scope.tenant)
        for name in names:
            self._delete(name, filter_)
        if left := self.count(scope, filter_):
            raise StoreError(
                f"Milvus still counts {left} deleted rows in {', '.join(names)}: the deletion is tried again."
            )

    def count(self, scope: Scope, filter_: str) -> int:
        """Rows matching a scope's filter; 0 if the tenant has no collection."""
        return self._count(self._names(scope.tenant), filter_)

    def count_existing(self, scope: Scope, ids: Sequence[str]) -> int:
        """The number of these chunk ids in the scope, by a fresh read."""
        return sum(self.count(scope, scope.chunks_by_id(page)) for page in _pages(ids))

    def vectors(self, scope: Scope, embedder: str, contents: Sequence[str]) -> Mapping[str, Vector]:
        """An embedder's vectors stored in the scope, by the digest of the embedded text."""
        return {
            row["content"]: np.asarray(row["dense"], np.float32)
            for page in _pages(contents)
            for row in self._rows(
                self._collections.comparable(scope.tenant),
                scope.chunks_by_content(embedder, page),
                ["content", "dense"],
            )
        }

    def chunk_counts(self, scope: Scope) -> Counter[str]:
        """Chunks per document id over the whole scope, page by page."""
        counted = (self._values(name, scope.chunks(), "document_id") for name in self._names(scope.tenant))
        return sum(counted, Counter())

    def dense(
        self, scope: Scope, embedder: str, vector: Vector, limit: int, filter_: Filter | None = None
    ) -> list[Hit]:
        """The nearest chunks by cosine, best first, among those with a vector of the same embedder."""
        chunks = scope.embedded_chunks(embedder, filter_)
        hits = [
            hit
            for name in self._collections.comparable(scope.tenant)
            for hit in self._search(name, scope, "dense", [vector.tolist()], "COSINE", chunks, limit)
        ]
        return best(hits, limit)

    def lexical(self, scope: Scope, weights: Sparse, limit: int, filter_: Filter | None = None) -> list[Hit]:
        """The best chunks by BM25, best first; chunks without any term of the query are left out. Empty on a Milvus
        without sparse vectors."""
        if not self.can_search_words():
            return []
        hits = [
            hit
            for name in self._names(scope.tenant)
            for hit in self._search(name, scope, LEXICAL, [weights], "IP", scope.matching(filter_), limit)
            if hit.score > 0
        ]
        return best(hits, limit)

    def can_search_words(self) -> bool:
        """False if this Milvus has no sparse vectors."""
        with self._calls("open a connection"):
            return self._sparse

    def texts(self, scope: Scope, file_id: str) -> list[str]:
        """The texts of a file's chunks, in the order of the document."""
        rows = self._rows(self._names(scope.tenant), scope.file(file_id), ["ordinal", "text"])
        return [row["text"] for row in sorted(rows, key=lambda row: row["ordinal"])]

    def terms(self, scope: Scope, limit: int) -> list[frozenset[str]]:
        """The terms of at most `limit` chunks of the scope, chosen by the store."""
        rows = self._rows(self._names(scope.tenant), scope.chunks(), ["terms"], limit=limit)
        return [frozenset(row["terms"].split()) for row in rows[:limit]]

    def settle(self, scope: Scope) -> None:
        """Flush Milvus Lite after many writes, because its searches take time linear in unflushed rows. A server is
        not flushed: it seals segments by itself, and limits explicit flushes."""
        name = self._name(scope.tenant)
        with self._calls(f"flush {name}") as client:
            if client.get_server_version(timeout=self._timeout).startswith("milvus_lite"):
                client.flush(name, timeout=self._timeout)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _name(self, tenant: str) -> str:
        return self._collections.current(tenant)

    def _names(self, tenant: str) -> Sequence[str]:
        return self._collections.of(tenant)

    def _listed(self) -> Sequence[str]:
        with self._calls("list collections") as client:
            names: Sequence[str] = client.list_collections(timeout=self._timeout)
        return names

    def _statistics(self, names: Sequence[str], scope: Scope) -> Mapping[str, Statistics]:
        """Of two cards of a knowledge base, that of the collection named first."""
        rows = self._rows(names, scope.cards(), ["knowledge_base", "text"])
        return {row["knowledge_base"]: Statistics.from_json(row["text"]) for row in reversed(rows)}

    def _search(
        self, name: str, scope: Scope, field: str, data: list[Any], metric: str, filter_: str, limit: int
    ) -> list[Hit]:
        with self._calls(f"search {name}") as client:
            try:
                results = client.search(
                    name,
                    data=data,
                    anns_field=field,
                    filter=filter_,
                    limit=limit,
                    output_fields=HIT_FIELDS,
                    search_params={"metric_type": metric},
                    timeout=self._timeout,
                )
            except MilvusException as error:
                if error.code == _NO_COLLECTION:
                    return []
                raise
        return [hit_of(scope, match) for match in results[0]]

    def _count(self, names: Sequence[str], filter_: str) -> int:
        rows = self._rows(names, filter_, ["count(*)"], consistency_level=Reads.CURRENT)
        return sum(int(row["count(*)"]) for row in rows)

    def _values(self, name: str, filter_: str, field: str) -> Counter[str]:
        """The values of a field and how many rows have each, page by page; none without the collection."""
        counts: Counter[str] = Counter()
        with self._calls(f"read {name}") as client:
            if not client.has_collection(name, timeout=self._timeout):
                return counts
            rows = client.query_iterator(
                name,
                _PAGE,
                filter=filter_,
                output_fields=[field],
                timeout=self._timeout,
                consistency_level=self._reads,
            )
            while page := rows.next():
                counts.update(row[field] for row in page)
            rows.close()
        return counts

    def _rows(self, names: Sequence[str], filter_: str, fields: list[str], **options: object) -> list[dict[str, Any]]:
        """The names of existing collections."""
        return [row for name in names for row in self._query(name, filter_, fields, **options)]

    def _query(self, name: str, filter_: str, fields: list[str], **options: object) -> list[dict[str, Any]]:
        options = {"consistency_level": self._reads, **options}
        with self._calls(f"query {name}") as client:
            try:
                return list(client.query(name, filter=filter_, output_fields=fields, timeout=self._timeout, **options))
            except MilvusException as error:
                if error.code == _NO_COLLECTION:
                    return []
                raise

    def _opened(self) -> MilvusClient:
        if self._ca is not None:
            check_authority(self._uri, self._ca)
        client = MilvusClient(
            self._uri,
            token=self._token,
            timeout=self._timeout,
            grpc_options=_GRPC_OPTIONS,
            server_pem_path=str(self._ca or ""),  # the authorities to trust, whatever its name says
        )
        try:
            version = client.get_server_version(timeout=self._timeout)
            if reason := unsupported(version):
                raise StoreUnsupportedError(f"Milvus at {self._uri} cannot be used: {reason}.")
            self._sparse, self._partition_keys = has_sparse_vectors(version), has_sound_partition_keys(version)
            if not self._sparse:
                log.warning(_NO_SPARSE_VECTORS, self._uri, version)
        except BaseException:
            client.close()
            raise
        return client

    def _stored(self, row: Row) -> Row:
        """The row as this Milvus can store it."""
        return row if self._sparse else {name: value for name, value in row.items() if name != LEXICAL}

    @contextmanager
    def _calls(self, action: str) -> Iterator[MilvusClient]:
        """The client, with pymilvus' errors translated to ours."""
        try:
            with self._opening:
                client = self._client = self._client or self._opened()
            yield client
        except MilvusException as error:
            raise translated(error.message, action, self._uri) from error
        except grpc.RpcError as error:  # pymilvus passes on what a server refuses to a user without the right
            details = error.details() if isinstance(error, grpc.Call) else str(error)
            raise translated(details or str(error), action, self._uri) from error


def _pages(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _PAGE] for start in range(0, len(items), _PAGE))
