"""Records of deletions: what was deleted, where it was, and the signed findings of a search for it afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, select, update

from retrieval.documents.pages import Page, Window, windowed
from retrieval.documents.tables import deletions
from service.clock import microseconds, ordered_id

Kind = Literal["file", "vector_store"]

_PREFIX = "del_"


@dataclass(frozen=True)
class Deletion:
    """The fields are columns. `findings` are empty until the search afterwards has found nothing."""

    id: str
    tenant: str
    created: int  # microseconds since the epoch
    kind: Kind
    subject: str  # its id
    name: str
    knowledge_bases: Sequence[str]  # it was in these, or is this one
    checked: int = 0  # microseconds since the epoch; 0 before the search
    findings: Mapping[str, int] = field(default_factory=dict)
    signature: str = ""


def new(tenant: str, kind: Kind, subject: str, name: str, knowledge_bases: Sequence[str]) -> Deletion:
    return Deletion(_PREFIX + ordered_id(), tenant, microseconds(), kind, subject, name, tuple(knowledge_bases))


def add(connection: Connection, deletion: Deletion) -> None:
    values = asdict(deletion) | {"knowledge_bases": list(deletion.knowledge_bases)}
    connection.execute(deletions.insert().values(**values))


def prove(connection: Connection, deletion: Deletion) -> None:
    """Record the findings and their signature."""
    proven = {"checked": deletion.checked, "findings": dict(deletion.findings), "signature": deletion.signature}
    connection.execute(update(deletions).where(deletions.c.id == deletion.id).values(**proven))


def get(connection: Connection, tenant: str, deletion_id: str) -> Deletion | None:
    key = (deletions.c.tenant == tenant) & (deletions.c.id == deletion_id)
    return next(_deletions(connection, key), None)


def of_tenant(connection: Connection, tenant: str, window: Window) -> Page[Deletion]:
    query = select(deletions).where(deletions.c.tenant == tenant)
    return windowed(connection, query, deletions.c.id, window).mapped(_deletion)


def unproven(connection: Connection) -> list[Deletion]:
    return list(_deletions(connection, deletions.c.checked == 0))


def _deletions(connection: Connection, condition: ColumnElement[bool]) -> Iterator[Deletion]:
    return map(_deletion, connection.execute(select(deletions).where(condition)))


def _deletion(row: Row[Any]) -> Deletion:
    return Deletion(**row._mapping)
