"""The wire models of the ingest worker."""

from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from retrieval.schemas import Body, Name


def _spelled_once(path: str) -> str:
    return str(PurePath(path))


class Source(Body):
    """A directory, followed with everything below it, or one file; a path that cannot be one fails its scan alone."""

    path: Annotated[str, Field(max_length=4_096), AfterValidator(_spelled_once)]


class KnowledgeBase(Body):
    """Of one that is `kept` everything indexed stays as it is; its sources are not looked at."""

    tenant: Name
    name: Name
    sources: Annotated[list[Source], Field(max_length=32)]
    chunk_tokens: Annotated[int, Field(ge=16, le=240)] = 160
    kept: bool = False


class Desired(Body):
    """The complete set of knowledge bases; what is not listed is deleted."""

    knowledge_bases: Annotated[list[KnowledgeBase], Field(max_length=10_000)]

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        seen: set[tuple[str, str]] = set()
        for listed in self.knowledge_bases:
            if (listed.tenant, listed.name) in seen:
                raise ValueError(f"{listed.tenant}/{listed.name} is listed twice")
            seen.add((listed.tenant, listed.name))
        return self


class State(StrEnum):
    PENDING = "Pending"
    PARSING = "Parsing"
    EMBEDDING = "Embedding"
    READY = "Ready"
    FAILED = "Failed"


class DocumentStatus(BaseModel):
    """`path` is relative to the source; `digest` is the SHA-256 of the content that was last read."""

    path: str
    digest: str
    state: State
    reason: str
    message: str
    chunks: int


class KnowledgeBaseStatus(BaseModel):
    """`ready`: every source was read and no document waits. `message` says what is wrong with the whole."""

    tenant: str
    name: str
    ready: bool
    message: str
    chunks: int
    documents: list[DocumentStatus]


class Status(BaseModel):
    """`revision` changes with every change below; `message` says what stops the worker as a whole."""

    revision: int
    message: str
    knowledge_bases: list[KnowledgeBaseStatus]


class Accepted(BaseModel):
    revision: int
