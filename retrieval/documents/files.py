"""Records of uploaded files."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from contract.vector_store import FILE_PREFIX
from retrieval.documents.pages import Page, Window, windowed
from retrieval.documents.tables import files
from service.clock import microseconds, ordered_id


@dataclass(frozen=True)
class StoredFile:
    """A file, with its bytes in the object store. The fields are columns."""

    id: str
    tenant: str
    created: int  # microseconds since the epoch
    name: str
    purpose: str
    size: int  # bytes
    sha256: str

    @property
    def blob(self) -> str:
        """The key of its bytes in the object store."""
        return blob_key(self.tenant, self.id)


def new_id() -> str:
    return FILE_PREFIX + ordered_id()


def blob_key(tenant: str, file_id: str) -> str:
    return f"{tenant}/{file_id}"


def add(connection: Connection, file: StoredFile) -> None:
    connection.execute(files.insert().values(**asdict(file), deleted=False))


def get(connection: Connection, tenant: str, file_id: str) -> StoredFile | None:
    return next(_files(connection, files.c.tenant == tenant, files.c.id == file_id, ~files.c.deleted), None)


def of_tenant(connection: Connection, tenant: str, window: Window, purpose: str | None) -> Page[StoredFile]:
    query = select(files).where(files.c.tenant == tenant, ~files.c.deleted)
    chosen = query if purpose is None else query.where(files.c.purpose == purpose)
    return windowed(connection, chosen, files.c.id, window).mapped(stored_file)


def blob_keys(connection: Connection) -> frozenset[str]:
    """The keys of the bytes of all files, deleted ones included."""
    rows = connection.execute(select(files.c.tenant, files.c.id))
    return frozenset(blob_key(tenant, file_id) for tenant, file_id in rows)


def of_others(connection: Connection, tenants: Collection[str]) -> list[StoredFile]:
    """The files of all tenants but these."""
    return list(_files(connection, files.c.tenant.not_in(tenants), ~files.c.deleted))


def twin(connection: Connection, file: StoredFile, since: int) -> StoredFile | None:
    """A file of the same tenant with the same name, purpose and content, created since."""
    same = (
        files.c.tenant == file.tenant,
        files.c.name == file.name,
        files.c.purpose == file.purpose,
        files.c.sha256 == file.sha256,
        files.c.created >= since,
        ~files.c.deleted,
    )
    return next(_files(connection, *same), None)


def usage(connection: Connection, tenant: str) -> tuple[int, int]:
    """The number of a tenant's files, and of their bytes. Deleted files count until their bytes are gone."""
    query = select(func.count(), func.coalesce(func.sum(files.c.size), 0)).where(files.c.tenant == tenant)
    count, size = connection.execute(query).one()
    return int(count), int(size)


def set_content(connection: Connection, file_id: str, size: int, sha256: str) -> None:
    """Of a web page: its file keeps its id, and is as old as its content."""
    changed = {"size": size, "sha256": sha256, "created": microseconds()}
    connection.execute(update(files).where(files.c.id == file_id).values(**changed))


def mark_deleted(connection: Connection, tenant: str, file_id: str) -> None:
    connection.execute(update(files).where(files.c.tenant == tenant, files.c.id == file_id).values(deleted=True))


def deleted(connection: Connection) -> list[StoredFile]:
    """Deleted files. Their bytes may still be there."""
    return list(_files(connection, files.c.deleted))


def exists(connection: Connection, file_id: str) -> bool:
    """True also for a deleted file whose bytes may still be there."""
    return connection.execute(select(files.c.id).where(files.c.id == file_id)).first() is not None


def forget(connection: Connection, file_id: str) -> None:
    connection.execute(delete(files).where(files.c.id == file_id))


def _files(connection: Connection, *conditions: ColumnElement[bool]) -> Iterator[StoredFile]:
    rows = connection.execute(select(files).where(*conditions))
    return map(stored_file, rows)


def stored_file(row: Row) -> StoredFile:  # type: ignore[type-arg]  # of any columns that include the table's
    return StoredFile(row.id, row.tenant, row.created, row.name, row.purpose, row.size, row.sha256)
