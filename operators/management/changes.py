"""The record of changes: who changed what, when, from where, and how it ended. Never contents, never keys."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select, update

from operators.management import tables
from operators.management.records import SECOND, Records
from service.clock import microseconds, ordered_id

KEPT_S = 400 * 86_400
PAGE = 100
_LONGEST = 512


@dataclass(frozen=True)
class Change:
    """`outcome` is the status of the answer, 0 while there is none: refused attempts are recorded, too."""

    tenant: str
    actor: str
    action: str
    subject: str
    outcome: int
    address: str
    request_id: str


@dataclass(frozen=True)
class Recorded:
    id: str
    at: int
    change: Change


class Changes:
    def __init__(self, records: Records) -> None:
        self._records = records

    async def add(self, change: Change) -> str:
        """The id of the new row."""
        row = {**asdict(change), "subject": change.subject[:_LONGEST], "id": ordered_id(), "at": microseconds()}
        await self._records.write(lambda connection: connection.execute(insert(tables.changes), row))
        return str(row["id"])

    async def end(self, change_id: str, outcome: int, subject: str = "") -> None:
        """Records the outcome of a change, and its subject if only the answer names it."""
        values = {"outcome": outcome} | ({"subject": subject[:_LONGEST]} if subject else {})
        ended = update(tables.changes).where(tables.changes.c.id == change_id).values(**values)
        await self._records.write(lambda connection: connection.execute(ended))

    async def drop_old(self) -> None:
        old = delete(tables.changes).where(tables.changes.c.at < microseconds() - KEPT_S * SECOND)
        await self._records.write(lambda connection: connection.execute(old))

    async def of_tenant(self, tenant: str, before: str | None = None) -> Sequence[Recorded]:
        """Newest first, at most PAGE; older ones before an id."""
        rows, columns = tables.changes, tables.changes.c
        query = select(rows).where(columns.tenant == tenant).order_by(columns.id.desc()).limit(PAGE)
        if before:
            query = query.where(columns.id < before)
        rows_of_tenant = await self._records.read(lambda connection: connection.execute(query).all())
        return [Recorded(row.id, row.at, _change(row)) for row in rows_of_tenant]


def _change(row: object) -> Change:
    return Change(**{name: getattr(row, name) for name in Change.__dataclass_fields__})
