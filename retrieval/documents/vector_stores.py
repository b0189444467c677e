"""Records of vector stores: knowledge bases, of objects or made by the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from contract.ingest import DesiredKnowledgeBase
from contract.vector_store import store_id
from retrieval.documents.pages import Page, Window, windowed
from retrieval.documents.tables import vector_stores

Key = tuple[str, str]  # tenant, knowledge base


@dataclass(frozen=True)
class Draft:
    """The description of a new vector store."""

    title: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class VectorStore:
    """`spec` is the desired state of a KnowledgeBase object, None for a store made by the API."""

    tenant: str
    knowledge_base: str
    created: int  # microseconds since the epoch
    spec: DesiredKnowledgeBase | None = None
    title: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return store_id(self.knowledge_base)

    @property
    def key(self) -> Key:
        return self.tenant, self.knowledge_base

    @property
    def desired(self) -> DesiredKnowledgeBase:
        return self.spec or DesiredKnowledgeBase(tenant=self.tenant, name=self.knowledge_base, sources=[])


def add(connection: Connection, store: VectorStore) -> None:
    connection.execute(
        vector_stores.insert().values(
            tenant=store.tenant,
            knowledge_base=store.knowledge_base,
            created=store.created,
            spec=_stored(store.spec),
            title=store.title,
            description=store.description,
            labels=dict(store.labels),
        )
    )


def get(connection: Connection, tenant: str, knowledge_base: str) -> VectorStore | None:
    return next(iter(_stores(connection, _key(tenant, knowledge_base))), None)


def of_tenant(connection: Connection, tenant: str, window: Window) -> Page[VectorStore]:
    query = select(vector_stores).where(vector_stores.c.tenant == tenant)
    return windowed(connection, query, vector_stores.c.knowledge_base, window).mapped(_vector_store)


def every(connection: Connection) -> list[VectorStore]:
    return _stores(connection)


def count_made_by_api(connection: Connection, tenant: str) -> int:
    query = select(func.count()).where(vector_stores.c.tenant == tenant, vector_stores.c.spec.is_(None))
    return int(connection.execute(query).scalar_one())


def change(connection: Connection, key: Key, **values: object) -> None:
    """Sets `title` or `labels`."""
    connection.execute(update(vector_stores).where(_key(*key)).values(**values))


def remove(connection: Connection, key: Key) -> None:
    """With its attachments; the files stay."""
    connection.execute(delete(vector_stores).where(_key(*key)))


def set_objects(connection: Connection, listed: Iterable[DesiredKnowledgeBase], now: int) -> None:
    """Make these the stores of KnowledgeBase objects; those of other objects are removed."""
    desired = {(base.tenant, base.name): base for base in listed}
    existing = {store.key: store for store in every(connection)}
    for key, store in existing.items():
        if store.spec is not None and key not in desired:
            remove(connection, key)
    for key, spec in desired.items():
        if key not in existing:
            add(connection, VectorStore(*key, created=now, spec=spec, title=spec.name))
        elif existing[key].spec != spec:
            change(connection, key, spec=_stored(spec))


def _stored(spec: DesiredKnowledgeBase | None) -> object:
    return spec.model_dump(mode="json") if spec else None


def _key(tenant: str, knowledge_base: str) -> ColumnElement[bool]:
    return (vector_stores.c.tenant == tenant) & (vector_stores.c.knowledge_base == knowledge_base)


def _stores(connection: Connection, *conditions: ColumnElement[bool]) -> list[VectorStore]:
    rows = connection.execute(select(vector_stores).where(*conditions))
    return list(map(_vector_store, rows))


def _vector_store(row: Row) -> VectorStore:  # type: ignore[type-arg]  # of the table's columns
    return VectorStore(
        tenant=row.tenant,
        knowledge_base=row.knowledge_base,
        created=row.created,
        spec=DesiredKnowledgeBase.model_validate(row.spec) if row.spec is not None else None,
        title=row.title,
        description=row.description,
        labels=row.labels,
    )
