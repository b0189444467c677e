"""The documents of a vector store as its API shows them. Pure.

A document is an attached file, or a file in a KnowledgeBase's folders. The ledger has the worker's progress; a document
is in progress while the ledger lacks it, or has it with other content.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from contract.ingest import DocumentState
from contract.vector_store import FILE_PREFIX
from retrieval.documents.attachments import Attachment, Sums
from retrieval.documents.uploads import signature, source_of
from retrieval.ingest import reasons
from retrieval.ingest.ledger import Counts, Document
from retrieval.store.rows import Attributes

Status = Literal["in_progress", "completed", "failed", "cancelled"]
STATUSES: tuple[Status, ...] = ("in_progress", "completed", "failed", "cancelled")
# After so many failures in a row a document counts as failed, though it is tried again.
GIVEN_UP = 5
_OURS = frozenset(
    {reasons.STORE_UNAVAILABLE, reasons.EMBEDDER_UNAVAILABLE, reasons.NO_SPACE, reasons.INTERNAL, reasons.INTERRUPTED}
)


@dataclass(frozen=True)
class Fault:
    code: Literal["server_error", "unsupported_file", "invalid_file"]
    message: str


@dataclass(frozen=True)
class Entry:
    """One document. `state` is its progress in the worker's words."""

    file_id: str
    name: str
    created: int  # microseconds since the epoch; 0 for a document of a folder
    size: int  # bytes; 0 for a document of a folder
    status: Status
    state: str
    chunks: int = 0
    fault: Fault | None = None
    attributes: Attributes = field(default_factory=dict)
    is_uploaded: bool = True


def entries(attachments: Iterable[Attachment], documents: Iterable[Document]) -> list[Entry]:
    """Each attached file, with its document if the worker has begun it."""
    by_source = {document.source: document for document in documents}
    return [entry(each, by_source.get(source_of(each.file.id))) for each in attachments]


def entry(attachment: Attachment, document: Document | None) -> Entry:
    file = attachment.file
    status, state, fault = _progress(attachment, document)
    return Entry(
        file_id=file.id,
        name=file.name,
        created=attachment.created,
        size=file.size,
        status=status,
        state=state,
        chunks=document.chunks if document else 0,
        fault=fault,
        attributes=attachment.attributes,
    )


def counts(listed: Iterable[Entry]) -> Counter[str]:
    """Documents by status."""
    return Counter(each.status for each in listed)


@dataclass(frozen=True)
class Summary:
    """A vector store's documents, counted."""

    by_status: Mapping[str, int]
    size: int  # bytes of uploads
    latest: int  # when the last file was attached, microseconds since the epoch


def summary(attached: Sums, indexed: Counts) -> Summary:
    """For a moment after a change, a document may count by its earlier state."""
    total = attached.total + indexed.in_folders
    waiting = max(0, total - attached.cancelled - indexed.ready - indexed.failed)
    by_status = {
        "completed": min(indexed.ready, total),
        "failed": indexed.failed,
        "cancelled": attached.cancelled,
        "in_progress": waiting,
    }
    return Summary(by_status, attached.size, attached.latest)


def folder_entry(document: Document) -> Entry:
    status, fault = _outcome(document)
    return Entry(
        file_id=FILE_PREFIX + document.id,
        name=document.path,
        created=0,
        size=0,
        status=status,
        state=document.state,
        chunks=document.chunks,
        fault=fault,
        is_uploaded=False,
    )


def _progress(attachment: Attachment, document: Document | None) -> tuple[Status, str, Fault | None]:
    if attachment.cancelled:
        return "cancelled", "Cancelled", None
    if document is None or document.signature != signature(attachment):
        return "in_progress", DocumentState.PENDING, None
    status, fault = _outcome(document)
    return status, document.state, fault


def _outcome(document: Document) -> tuple[Status, Fault | None]:
    if document.state is DocumentState.READY:
        return "completed", None
    if document.state is DocumentState.FAILED and (document.due is None or document.attempts >= GIVEN_UP):
        return "failed", Fault(_code(document.reason), document.message)
    return "in_progress", None


def _code(reason: str) -> Literal["server_error", "unsupported_file", "invalid_file"]:
    if reason in _OURS:
        return "server_error"
    return "unsupported_file" if reason == reasons.UNSUPPORTED else "invalid_file"
