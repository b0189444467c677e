"""KnowledgeBase: a tenant's documents, cut into chunks and indexed."""

from typing import Annotated, Literal

from pydantic import Field

from contract.conditions import REVOKING, Condition
from contract.resource import Resource, Status
from contract.value import Uri, Value


class Source(Value):
    """A file or a directory of TXT, Markdown, HTML, PDF and DOCX files."""

    path: Uri
    """Its path, below the tenant's own directory of documents."""


class KnowledgeBaseSpec(Value):
    """The indexed documents, and the number of passages for a request."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=32)]
    """Files and directories."""
    top_k: Annotated[int, Field(ge=1, le=20)] = 4
    """The most passages for a request."""


class Document(Value):
    """One document, and how far it is."""

    path: str
    """Its path."""
    state: str
    """How far it is."""
    reason: str = ""
    """Why it is left out, in one word."""
    message: str = ""
    """Why it is left out."""
    chunks: int = 0
    """Its indexed passages."""


class KnowledgeBaseStatus(Status):
    """The observed state of the documents."""

    documents: tuple[Document, ...] = ()
    """Each document, and how far it is."""
    chunks: int = 0
    """Indexed passages."""


class KnowledgeBase(Resource):
    kind: Literal["KnowledgeBase"] = "KnowledgeBase"
    spec: KnowledgeBaseSpec
    status: KnowledgeBaseStatus = KnowledgeBaseStatus()

    def may_be_searched(self, verdict: Condition) -> bool:
        """It is accepted; or an edit is refused, and the earlier index stays unless the right to it is lost."""
        return verdict.holds or (bool(self.status.documents) and verdict.reason not in REVOKING)
