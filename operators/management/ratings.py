"""The golden set: questions with answers judged by people, and their corrections."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select

from operators.management import tables
from operators.management.errors import NotFoundError
from operators.management.records import Records
from service.clock import microseconds, ordered_id

PAGE = 1_000


@dataclass(frozen=True)
class Rating:
    tenant: str
    actor: str
    model: str
    question: str
    answer: str
    is_right: bool
    correction: str


@dataclass(frozen=True)
class Kept:
    id: str
    at: int
    rating: Rating


class Ratings:
    def __init__(self, records: Records) -> None:
        self._records = records

    async def add(self, rating: Rating) -> Kept:
        kept = Kept(ordered_id(), microseconds(), rating)
        row = {**asdict(rating), "is_right": int(rating.is_right), "id": kept.id, "at": kept.at}
        await self._records.write(lambda connection: connection.execute(insert(tables.ratings), row))
        return kept

    async def of_tenant(self, tenant: str) -> Sequence[Kept]:
        """Newest first, at most PAGE."""
        rows, columns = tables.ratings, tables.ratings.c
        query = select(rows).where(columns.tenant == tenant).order_by(columns.id.desc()).limit(PAGE)
        rows_of_tenant = await self._records.read(lambda connection: connection.execute(query).all())
        return [Kept(row.id, row.at, _rating(row)) for row in rows_of_tenant]

    async def keep_only(self, tenants: frozenset[str]) -> None:
        """Deletes the golden sets of deleted tenants."""
        gone = delete(tables.ratings).where(tables.ratings.c.tenant.not_in(tenants))
        await self._records.write(lambda connection: connection.execute(gone))

    async def remove(self, tenant: str, rating_id: str) -> None:
        columns = tables.ratings.c
        gone = delete(tables.ratings).where(columns.tenant == tenant, columns.id == rating_id)
        count = await self._records.write(lambda connection: connection.execute(gone).rowcount)
        if not count:
            raise NotFoundError(f"There is no rating {rating_id!r}.")


def _rating(row: object) -> Rating:
    values = {name: getattr(row, name) for name in Rating.__dataclass_fields__}
    return Rating(**{**values, "is_right": bool(values["is_right"])})
