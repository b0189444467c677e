"""KnowledgeBase: a tenant's documents, cut into chunks and indexed."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contract.conditions import REVOKING, Condition
from contract.definition import NAME_RULE, Column, Definition, Rule
from contract.resource import Resource, Status
from contract.search import MIN_RELEVANCE, Relevance
from contract.value import Uri, Value


class Source(Value):
    """A file or a directory of documents: text, Markdown, HTML, PDF, Word, Excel, PowerPoint and others."""

    path: Uri
    """Its path, inside the tenant's own directory of documents."""


class KnowledgeBaseSpec(Value):
    """The documents to index, and which passages a request gets."""

    sources: Annotated[tuple[Source, ...], Field(max_length=32)] = ()
    """Files and directories. Uploaded files are added to those by the API; see /v1/vector_stores."""
    top_k: Annotated[int, Field(ge=1, le=20)] = 4
    """The most passages for a request."""
    min_relevance: Relevance = MIN_RELEVANCE
    """A question is answered if a passage is at least so relevant, 0 to 1; a lower value answers more questions, and
    more of those that the documents do not answer."""
    strict: bool = False
    """Where nothing is found, greetings, thanks and requests about an answer are refused, too, instead of left to the
    model."""


class Document(Value):
    """One document and its progress."""

    path: str
    """Its path."""
    state: str
    """Its progress: Pending, Parsing, Embedding, Ready or Failed."""
    reason: str = ""
    """Why indexing failed, in one word."""
    message: str = ""
    """Why indexing failed, with the remedy."""
    chunks: int = 0
    """The number of its indexed passages."""


class KnowledgeBaseStatus(Status):
    """The observed state of the documents."""

    documents: tuple[Document, ...] = ()
    """Each document and its progress."""
    chunks: int = 0
    """The number of indexed passages."""


class KnowledgeBase(Resource):
    definition: ClassVar[Definition] = Definition(
        "knowledgebases", "qkb", (Column("Chunks", ".status.chunks", "integer"),),
        rules=(
            NAME_RULE,
            Rule("spec.sources", "self.all(s, s.path.startsWith('/') && !s.path.matches('(^|/)[.][.](/|$)'))",
                 "a source is an absolute path without '..', in the tenant's directory of documents"),
        ),
    )  # fmt: skip
    kind: Literal["KnowledgeBase"] = "KnowledgeBase"
    spec: KnowledgeBaseSpec
    status: KnowledgeBaseStatus = KnowledgeBaseStatus()

    def may_be_searched(self, verdict: Condition) -> bool:
        """True if it is accepted, or an edit is refused: the earlier index stays, unless the right to it is lost."""
        return verdict.holds or (bool(self.status.documents) and verdict.reason not in REVOKING)
