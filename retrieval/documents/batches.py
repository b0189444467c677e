"""Records of batches: files attached to a vector store together."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from retrieval.documents.tables import batches
from retrieval.documents.vector_stores import Key
from service.clock import ordered_id


@dataclass(frozen=True)
class Batch:
    id: str
    tenant: str
    knowledge_base: str
    created: int  # microseconds since the epoch
    file_ids: Sequence[str]
    added: Sequence[str]  # not attached before


def new_id() -> str:
    return "vsfb_" + ordered_id()


def add(connection: Connection, batch: Batch) -> None:
    connection.execute(
        batches.insert().values(**asdict(batch) | {"file_ids": list(batch.file_ids), "added": list(batch.added)})
    )


def get(connection: Connection, key: Key, batch_id: str) -> Batch | None:
    tenant, knowledge_base = key
    own = (
        batches.c.id == batch_id,
        batches.c.tenant == tenant,
        batches.c.knowledge_base == knowledge_base,
    )
    row = connection.execute(select(batches).where(*own)).first()
    if row is None:
        return None
    return Batch(row.id, row.tenant, row.knowledge_base, row.created, tuple(row.file_ids), tuple(row.added))
