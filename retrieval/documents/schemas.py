"""OpenAI's objects of files and vector stores, and the bodies of its requests.

Source: https://developers.openai.com/api/reference (files, vector_stores). Fields beyond OpenAI's say more about a
document: its progress in the worker's words, its passages, whether it was uploaded.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contract.body import Body, Reply
from contract.filters import Number
from retrieval.documents.batches import Batch
from retrieval.documents.entries import STATUSES, Entry, Summary, counts
from retrieval.documents.files import StoredFile
from retrieval.documents.pages import Page
from retrieval.documents.vector_stores import Draft, VectorStore

MOST_PAIRS = 16  # of metadata, and of attributes
MOST_REPLACED = 100
MOST_IN_BATCH = 2_000
_SECOND = 1_000_000  # microseconds

T = TypeVar("T", bound="Listable")


def _storable(text: str) -> str:
    """Neither every database nor every filter takes control characters."""
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("must have no control characters")
    return text


Key = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_storable)]
Text = Annotated[str, StringConstraints(max_length=512), AfterValidator(_storable)]
Title = Annotated[str, StringConstraints(max_length=256), AfterValidator(_storable)]
Metadata = Annotated[dict[Key, Text], Field(max_length=MOST_PAIRS)]
AttributeMap = Annotated[dict[Key, Text | bool | Number], Field(max_length=MOST_PAIRS)]
FileId = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_storable)]
Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]


# Requests --------------------------------------------------------------------------------------------------------


class AutoChunking(Body):
    """The only strategy: passages follow a document's headings, tables and paragraphs."""

    type: Literal["auto"]


class CreateVectorStore(Body):
    name: Title | None = None
    description: Text | None = None
    file_ids: Annotated[list[FileId], Field(max_length=MOST_IN_BATCH)] | None = None
    chunking_strategy: AutoChunking | None = None
    metadata: Metadata | None = None

    @property
    def draft(self) -> Draft:
        return Draft(self.name or "", self.description or "", self.metadata or {})


class ChangeVectorStore(Body):
    name: Title | None = None
    metadata: Metadata | None = None

    @property
    def changes(self) -> Mapping[str, object]:
        """The given fields, as columns of the record."""
        columns = {"name": ("title", self.name or ""), "metadata": ("labels", self.metadata or {})}
        return dict(column for field, column in columns.items() if field in self.model_fields_set)


class AttachFile(Body):
    """`replaces` are files of the vector store. They leave it once this one is ready, and are deleted if they are in no
    other. Not one of OpenAI's."""

    file_id: FileId
    replaces: Annotated[list[FileId], Field(max_length=MOST_REPLACED)] | None = None
    attributes: AttributeMap | None = None
    chunking_strategy: AutoChunking | None = None

    @property
    def listed(self) -> tuple[str, Mapping[str, Any] | None]:
        """The file, and its attributes; None leaves those of an attached file as they are."""
        return self.file_id, self.attributes


class ChangeAttributes(Body):
    attributes: AttributeMap | None


class AttachBatch(Body):
    """Either `file_ids`, all with the same attributes, or `files` with their own."""

    file_ids: Annotated[list[FileId], Field(min_length=1, max_length=MOST_IN_BATCH)] | None = None
    files: Annotated[list[AttachFile], Field(min_length=1, max_length=MOST_IN_BATCH)] | None = None
    attributes: AttributeMap | None = None
    chunking_strategy: AutoChunking | None = None

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if (self.file_ids is None) == (self.files is None):
            raise ValueError("give file_ids or files, one of them")
        return self

    @property
    def listed(self) -> list[tuple[str, Mapping[str, Any] | None]]:
        """Each file once, with its attributes."""
        chosen: dict[str, Mapping[str, Any] | None] = dict.fromkeys(self.file_ids or (), self.attributes)
        chosen |= dict(each.listed for each in self.files or ())
        return list(chosen.items())


# Answers ---------------------------------------------------------------------------------------------------------


class Listable(Reply):
    id: str


class FileObject(Listable):
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"
    sha256: str
    vector_stores: list[str] | None = None
    """The vector stores that it is in; null in lists."""

    @classmethod
    def of(cls, file: StoredFile, vector_stores: list[str] | None = None) -> Self:
        return cls(
            id=file.id,
            bytes=file.size,
            created_at=file.created // _SECOND,
            filename=file.name,
            purpose=file.purpose,
            sha256=file.sha256,
            vector_stores=vector_stores,
        )


class FileCounts(Reply):
    in_progress: int
    completed: int
    failed: int
    cancelled: int
    total: int

    @classmethod
    def of(cls, by_status: Mapping[str, int]) -> Self:
        return cls(total=sum(by_status.values()), **{status: by_status.get(status, 0) for status in STATUSES})


class VectorStoreObject(Listable):
    object: Literal["vector_store"] = "vector_store"
    created_at: int
    name: str
    description: str
    metadata: dict[str, str]
    status: Literal["in_progress", "completed"]
    file_counts: FileCounts
    usage_bytes: int
    last_active_at: int
    expires_after: None = None
    expires_at: None = None
    knowledge_base: str
    """The name for `retrieval.knowledge_bases` of a chat request."""
    managed: bool
    """True if it is a KnowledgeBase object, which only its owner deletes."""

    @classmethod
    def of(cls, store: VectorStore, documents: Summary) -> Self:
        file_counts = FileCounts.of(documents.by_status)
        return cls(
            id=store.id,
            created_at=store.created // _SECOND,
            name=store.title,
            description=store.description,
            metadata=dict(store.labels),
            status="in_progress" if file_counts.in_progress else "completed",
            file_counts=file_counts,
            usage_bytes=documents.size,
            last_active_at=max(store.created, documents.latest) // _SECOND,
            knowledge_base=store.knowledge_base,
            managed=store.spec is not None,
        )


class LastError(Reply):
    code: Literal["server_error", "unsupported_file", "invalid_file"]
    message: str


class VectorStoreFile(Listable):
    object: Literal["vector_store.file"] = "vector_store.file"
    created_at: int
    vector_store_id: str
    status: Literal["in_progress", "completed", "failed", "cancelled"]
    last_error: LastError | None
    usage_bytes: int
    attributes: dict[str, Any]
    chunking_strategy: dict[str, str] = Field(default_factory=lambda: {"type": "other"})
    filename: str
    state: str
    """Its progress: Pending, Parsing, Embedding, Ready, Failed or Cancelled."""
    passages: int
    uploaded: bool
    """False for a document of a KnowledgeBase's folder."""

    @classmethod
    def of(cls, store: VectorStore, entry: Entry) -> Self:
        return cls(
            id=entry.file_id,
            created_at=entry.created // _SECOND,
            vector_store_id=store.id,
            status=entry.status,
            last_error=LastError(code=entry.fault.code, message=entry.fault.message) if entry.fault else None,
            usage_bytes=entry.size,
            attributes=dict(entry.attributes),
            filename=entry.name,
            state=entry.state,
            passages=entry.chunks,
            uploaded=entry.is_uploaded,
        )


class FileBatch(Reply):
    id: str
    object: Literal["vector_store.files_batch"] = "vector_store.files_batch"
    created_at: int
    vector_store_id: str
    status: Literal["in_progress", "completed", "cancelled", "failed"]
    file_counts: FileCounts

    @classmethod
    def of(cls, store: VectorStore, batch: Batch, listed: Sequence[Entry]) -> Self:
        """Files taken out of the store since count as cancelled."""
        by_status = counts(listed)
        by_status["cancelled"] += len(batch.file_ids) - len(listed)
        total = len(batch.file_ids)
        done: Literal["completed", "cancelled", "failed"] = "completed"
        if by_status["cancelled"] == total:
            done = "cancelled"
        elif by_status["failed"] == total:
            done = "failed"
        return cls(
            id=batch.id,
            created_at=batch.created // _SECOND,
            vector_store_id=store.id,
            status="in_progress" if by_status["in_progress"] else done,
            file_counts=FileCounts.of(by_status),
        )


class Passage(Reply):
    type: Literal["text"] = "text"
    text: str


class Listed(Reply, Generic[T]):
    object: Literal["list"] = "list"
    data: list[T]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def of(cls, page: Page[Any], shown: Sequence[T]) -> Self:
        first, last = (shown[0].id, shown[-1].id) if shown else (None, None)
        return cls(data=list(shown), first_id=first, last_id=last, has_more=page.has_more)


class Content(Reply):
    """The passages of a document, as they are searched."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    file_id: str
    filename: str
    attributes: dict[str, Any]
    data: list[Passage]
    has_more: bool = False
    next_page: None = None

    @classmethod
    def of(cls, entry: Entry, texts: Sequence[str]) -> Self:
        passages = [Passage(text=text) for text in texts]
        return cls(file_id=entry.file_id, filename=entry.name, attributes=dict(entry.attributes), data=passages)


class Deleted(Reply):
    id: str
    object: Literal["file", "vector_store.deleted", "vector_store.file.deleted"]
    deleted: Literal[True] = True
    erased: bool
    """True if a search afterwards found nothing of it; false if the worker has not come to it yet."""
    deletion: str | None = None
    """The id of the record with the signed findings: /v1/deletions/ID."""
