"""Attached files as the worker sees them: one more source of a knowledge base."""

import json

from retrieval.documents import attachments
from retrieval.documents.attachments import Attachment
from retrieval.documents.database import Database
from retrieval.ingest.scan import UPLOAD, File, Upload
from retrieval.store.rows import identifier


def source_of(file_id: str) -> str:
    return UPLOAD + file_id


def signature(attachment: Attachment) -> str:
    """Changes with the content and the attributes."""
    attributes = json.dumps(dict(attachment.attributes), sort_keys=True)
    return identifier("upload", attachment.file.sha256, attributes)


def uploads(database: Database, tenant: str, knowledge_base: str) -> list[File]:
    """The files of a knowledge base to index."""
    with database.reads() as connection:
        attached = attachments.of_store(connection, (tenant, knowledge_base))
    return [as_file(each) for each in attached if not each.cancelled]


def as_file(attachment: Attachment) -> File:
    file = attachment.file
    upload = Upload(file.id, file.blob, file.created // 1_000_000, attachment.attributes)
    return File(source_of(file.id), file.name, file.size, 0.0, signature(attachment), upload=upload)
