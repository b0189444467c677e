"""Which files are in which vector store, with their attributes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, select, update

from retrieval.documents.files import StoredFile, stored_file
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


def put(connection: Connection, key: Key, attachment: Attachment) -> None:
    """Attach a file, or give an attached one other attributes. A cancelled one is indexed again."""
    place = _place(key, attachment.file.id)
    values = {"attributes": dict(attachment.attributes), "cancelled": False}
    if connection.execute(select(attachments.c.file_id).where(place)).first():
        connection.execute(update(attachments).where(place).values(**values))
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


def get(connection: Connection, key: Key, file_id: str) -> Attachment | None:
    matching = _attachments(connection, _place(key, file_id))
    return matching[0] if matching else None


def stores_of(connection: Connection, file_id: str) -> list[Key]:
    query = select(attachments.c.tenant, attachments.c.knowledge_base).where(attachments.c.file_id == file_id)
    return [(tenant, knowledge_base) for tenant, knowledge_base in connection.execute(query)]


def remove(connection: Connection, key: Key, file_id: str) -> bool:
    """Returns whether the file was attached."""
    removed = connection.execute(delete(attachments).where(_place(key, file_id)))
    return removed.rowcount > 0


def detach_everywhere(connection: Connection, file_id: str) -> None:
    connection.execute(delete(attachments).where(attachments.c.file_id == file_id))


def cancel(connection: Connection, key: Key, file_ids: Sequence[str]) -> None:
    listed = _store(key) & attachments.c.file_id.in_(file_ids)
    connection.execute(update(attachments).where(listed).values(cancelled=True))


def _store(key: Key) -> ColumnElement[bool]:
    return (attachments.c.tenant == key[0]) & (attachments.c.knowledge_base == key[1])


def _place(key: Key, file_id: str) -> ColumnElement[bool]:
    return _store(key) & (attachments.c.file_id == file_id)


def _attachments(connection: Connection, condition: ColumnElement[bool]) -> list[Attachment]:
    added = attachments.c.created.label("added")
    query = select(files, added, attachments.c.attributes, attachments.c.cancelled).join_from(attachments, files)
    rows = connection.execute(query.where(condition, ~files.c.deleted))
    return [Attachment(stored_file(row), row.added, row.attributes, row.cancelled) for row in rows]
