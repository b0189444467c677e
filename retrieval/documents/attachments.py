"""The files of each vector store, with their attributes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Integer, Row, cast, delete, func, select, update

from retrieval.documents.files import StoredFile, stored_file
from retrieval.documents.pages import Page, Window, windowed
from retrieval.documents.tables import attachments, files
from retrieval.documents.vector_stores import Key
from retrieval.store.rows import Attributes


@dataclass(frozen=True)
class Attachment:
    """A file in a vector store."""

    file: StoredFile
    created: int  # microseconds since the epoch
    attributes: Attributes
    cancelled: bool = False


@dataclass(frozen=True)
class Sums:
    """Of the files of a vector store."""

    total: int
    cancelled: int
    size: int  # bytes
    latest: int  # when the last one was attached, microseconds since the epoch


_AT_ONCE = 500  # ids in one query
_QUERY = select(
    files, attachments.c.created.label("added"), attachments.c.attributes, attachments.c.cancelled
).join_from(attachments, files)


def put(connection: Connection, key: Key, attachment: Attachment) -> None:
    """Attach a file, or give an attached one these attributes. A cancelled one is indexed again."""
    attached = _attached(key, attachment.file.id)
    values = {"attributes": dict(attachment.attributes), "cancelled": False}
    if connection.execute(select(attachments.c.file_id).where(attached)).first():
        connection.execute(update(attachments).where(attached).values(**values))
        return
    tenant, knowledge_base = key
    connection.execute(
        attachments.insert().values(
            tenant=tenant,
            knowledge_base=knowledge_base,
            file_id=attachment.file.id,
            created=attachment.created,
            **values,
        )
    )


def of_store(connection: Connection, key: Key) -> list[Attachment]:
    return _attachments(connection, _store(key))


def some(connection: Connection, key: Key, file_ids: Sequence[str]) -> list[Attachment]:
    """The attached ones of these files."""
    return [
        attachment
        for start in range(0, len(file_ids), _AT_ONCE)
        for attachment in _attachments(
            connection, _store(key) & attachments.c.file_id.in_(file_ids[start : start + _AT_ONCE])
        )
    ]


def window_of(connection: Connection, key: Key, window: Window, name: str = "") -> Page[Attachment]:
    """Those with `name` in the names of their files, in any case."""
    query = _QUERY.where(_store(key), ~files.c.deleted)
    if name:
        query = query.where(files.c.name.icontains(name, autoescape=True))
    return windowed(connection, query, files.c.id, window).mapped(_attachment)


def sums(connection: Connection, key: Key) -> Sums:
    query = (
        select(
            func.count(),
            func.coalesce(func.sum(cast(attachments.c.cancelled, Integer)), 0),
            func.coalesce(func.sum(files.c.size), 0),
            func.coalesce(func.max(attachments.c.created), 0),
        )
        .join_from(attachments, files)
        .where(_store(key), ~files.c.deleted)
    )
    return Sums(*connection.execute(query).one())


def get(connection: Connection, key: Key, file_id: str) -> Attachment | None:
    matching = _attachments(connection, _attached(key, file_id))
    return matching[0] if matching else None


def stores_of(connection: Connection, file_id: str) -> list[Key]:
    query = select(attachments.c.tenant, attachments.c.knowledge_base).where(attachments.c.file_id == file_id)
    return [(tenant, knowledge_base) for tenant, knowledge_base in connection.execute(query)]


def remove(connection: Connection, key: Key, file_id: str) -> bool:
    """Returns whether the file was attached."""
    removed = connection.execute(delete(attachments).where(_attached(key, file_id)))
    return removed.rowcount > 0


def detach_everywhere(connection: Connection, file_id: str) -> None:
    connection.execute(delete(attachments).where(attachments.c.file_id == file_id))


def cancel(connection: Connection, key: Key, file_ids: Sequence[str]) -> None:
    listed = _store(key) & attachments.c.file_id.in_(file_ids)
    connection.execute(update(attachments).where(listed).values(cancelled=True))


def _store(key: Key) -> ColumnElement[bool]:
    return (attachments.c.tenant == key[0]) & (attachments.c.knowledge_base == key[1])


def _attached(key: Key, file_id: str) -> ColumnElement[bool]:
    return _store(key) & (attachments.c.file_id == file_id)


def _attachments(connection: Connection, condition: ColumnElement[bool]) -> list[Attachment]:
    return list(map(_attachment, connection.execute(_QUERY.where(condition, ~files.c.deleted))))


def _attachment(row: Row) -> Attachment:  # type: ignore[type-arg]  # of _QUERY
    return Attachment(stored_file(row), row.added, row.attributes, row.cancelled)
