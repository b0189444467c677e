"""The tenants, and the limits of their uploads."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from contract.ingest import DesiredTenant
from retrieval.documents.tables import tenants


def set_all(connection: Connection, listed: Iterable[DesiredTenant]) -> None:
    """Make this the complete set."""
    connection.execute(delete(tenants))
    rows = [tenant.model_dump() for tenant in listed]
    if rows:
        connection.execute(tenants.insert(), rows)


def get(connection: Connection, name: str) -> DesiredTenant | None:
    """Locked until the end of the transaction: two uploads must not both take the last room."""
    row = connection.execute(select(tenants).where(tenants.c.name == name).with_for_update()).mappings().first()
    return DesiredTenant.model_validate(dict(row)) if row else None


def every(connection: Connection) -> list[str]:
    return list(connection.execute(select(tenants.c.name)).scalars())
