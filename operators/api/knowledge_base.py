"""KnowledgeBase: a tenant's documents, cut into chunks and indexed."""

from typing import Annotated, Literal

from pydantic import Field

from operators.api.resource import Resource, Status
from operators.api.value import Uri, Value


class Source(Value):
    """A file or a directory of TXT, Markdown, HTML, PDF and DOCX files."""

    path: Uri


class KnowledgeBaseSpec(Value):
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=32)]
    top_k: Annotated[int, Field(ge=1, le=20)] = 4


class Document(Value):
    path: str
    state: str
    reason: str = ""
    message: str = ""
    chunks: int = 0


class KnowledgeBaseStatus(Status):
    documents: tuple[Document, ...] = ()
    chunks: int = 0


class KnowledgeBase(Resource):
    kind: Literal["KnowledgeBase"] = "KnowledgeBase"
    spec: KnowledgeBaseSpec
    status: KnowledgeBaseStatus = KnowledgeBaseStatus()
