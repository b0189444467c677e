"""Bodies between the operator and the ingest worker."""

from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from contract.body import Body, Reply
from contract.search import PrintableName


def _normalized(path: str) -> str:
    return str(PurePath(path))


class DesiredSource(Body):
    """A directory with everything below it, or one file; an invalid path only fails the scan of this source."""

    path: Annotated[str, Field(max_length=4_096), AfterValidator(_normalized)]


class DesiredWebSource(Body):
    """An invalid address only fails the looks at this source."""

    url: Annotated[str, Field(max_length=2_000)]
    depth: Annotated[int, Field(ge=0, le=5)]
    most_pages: Annotated[int, Field(ge=1, le=1_000)]
    every_minutes: Annotated[int, Field(ge=5, le=44_640)]


class DesiredKnowledgeBase(Body):
    tenant: PrintableName
    name: PrintableName
    sources: Annotated[list[DesiredSource], Field(max_length=32)]
    web: Annotated[list[DesiredWebSource], Field(max_length=32)] = Field(default_factory=list)
    chunk_tokens: Annotated[int, Field(ge=16, le=240)] = 160
    kept: bool = False
    """True if indexed documents stay as they are, without a scan of the sources."""


class DesiredTenant(Body):
    """A tenant, and the limits of its uploads."""

    name: PrintableName
    max_bytes: Annotated[int, Field(ge=0)]
    max_files: Annotated[int, Field(ge=0)]
    max_vector_stores: Annotated[int, Field(ge=0)]


class DesiredKnowledgeBases(Body):
    """The complete set of knowledge bases of objects, and of tenants; all others are deleted."""

    knowledge_bases: Annotated[list[DesiredKnowledgeBase], Field(max_length=10_000)]
    tenants: Annotated[list[DesiredTenant], Field(max_length=10_000)] | None = None
    """None leaves tenants, and what they uploaded, as they are."""

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names: set[tuple[str, str]] = set()
        for listed in self.knowledge_bases:
            if (listed.tenant, listed.name) in names:
                raise ValueError(f"{listed.tenant}/{listed.name} is listed twice")
            names.add((listed.tenant, listed.name))
        return self


class Accepted(Reply):
    revision: int
    """The revision of the status at this moment."""


class DocumentState(StrEnum):
    PENDING = "Pending"
    PARSING = "Parsing"
    EMBEDDING = "Embedding"
    READY = "Ready"
    FAILED = "Failed"


class IndexedDocument(Reply):
    path: str
    """Relative to the source."""
    digest: str = ""
    """The SHA-256 of the content that was read last."""
    state: DocumentState
    reason: str = ""
    message: str = ""
    chunks: int = 0


class LookedAtWebSource(Reply):
    url: str
    pages: int
    looked_at: int = 0
    """Seconds since the epoch; 0 before the first look has ended."""
    message: str = ""


class IndexedKnowledgeBase(Reply):
    tenant: str
    name: str
    ready: bool
    """True if every source was read and no document waits."""
    message: str = ""
    """The fault of the whole knowledge base; empty without one."""
    chunks: int
    documents: list[IndexedDocument] = Field(default_factory=list)
    web: list[LookedAtWebSource] = Field(default_factory=list)
    """Of the object alone."""


class IngestStatus(Reply):
    revision: int
    """A number that changes with every change of the fields below."""
    message: str = ""
    """The fault that stops the worker; empty without one."""
    knowledge_bases: list[IndexedKnowledgeBase] = Field(default_factory=list)

    def report(self, tenant: str, name: str) -> IndexedKnowledgeBase | None:
        return next((k for k in self.knowledge_bases if (k.tenant, k.name) == (tenant, name)), None)
