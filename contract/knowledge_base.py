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


class WebSource(Value):
    """A web page, or a part of a site, looked at again and again."""

    url: Uri
    """Its address: a page, the beginning of a site, or a sitemap."""
    depth: Annotated[int, Field(ge=0, le=5)] = 0
    """Links to follow within the directory of the address; 0 for the page alone."""
    most_pages: Annotated[int, Field(ge=1, le=1_000)] = 100
    """The most pages of it."""
    every_minutes: Annotated[int, Field(ge=5, le=44_640)] = 1_440
    """The minutes between two looks."""


class KnowledgeBaseSpec(Value):
    """The documents to index, and the choice of passages for a request."""

    sources: Annotated[tuple[Source, ...], Field(max_length=32)] = ()
    """Files and directories. Uploaded files are added to those by the API; see /v1/vector_stores."""
    web: Annotated[tuple[WebSource, ...], Field(max_length=32)] = ()
    """Web pages and sites, each address once."""
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


class FollowedWebSource(Value):
    """A web source, and its last look."""

    url: str
    """Its address."""
    pages: int = 0
    """Its pages that are documents now."""
    looked_at: str = ""
    """When the last look ended, in ISO 8601; empty before the first."""
    message: str = ""
    """Why pages could not be read then; empty if all were."""


class KnowledgeBaseStatus(Status):
    """The observed state of the documents."""

    documents: tuple[Document, ...] = ()
    """Each document and its progress."""
    chunks: int = 0
    """The number of indexed passages."""
    web: tuple[FollowedWebSource, ...] = ()
    """The web sources of the spec, and their last looks."""


class KnowledgeBase(Resource):
    definition: ClassVar[Definition] = Definition(
        "knowledgebases", "qkb", (Column("Chunks", ".status.chunks", "integer"),),
        rules=(
            NAME_RULE,
            Rule("spec.sources", "self.all(s, s.path.startsWith('/') && !s.path.matches('(^|/)[.][.](/|$)'))",
                 "a source is an absolute path without '..', in the tenant's directory of documents"),
            Rule("spec.web", "self.all(s, s.url.matches('^https?://[^ ]+$'))",
                 "a web source is an address that begins with https:// or http://"),
            Rule("spec.web", "self.all(s, self.filter(t, t.url == s.url).size() == 1)",
                 "each web source needs an address of its own"),
        ),
    )  # fmt: skip
    kind: Literal["KnowledgeBase"] = "KnowledgeBase"
    spec: KnowledgeBaseSpec
    status: KnowledgeBaseStatus = KnowledgeBaseStatus()

    def may_be_searched(self, verdict: Condition) -> bool:
        """True if it is accepted, or an edit is refused: the earlier index stays, unless the right to it is lost."""
        return verdict.holds or (bool(self.status.documents) and verdict.reason not in REVOKING)
