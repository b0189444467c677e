"""Bodies between the gateway and the search sidecar."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from contract.body import PRINTABLE_NAME_BYTES, Body, Reply
from contract.filters import Filter


class Outcome(StrEnum):
    EVIDENCE = "evidence"
    NO_HITS = "no_hits"
    BELOW_GATE = "below_gate"
    SCOPE_EMPTY = "scope_empty"
    CONTINUED = "continued"
    """The message finds nothing by itself; the evidence is the document of the answer before it."""
    CONVERSATION = "conversation"
    """The gateway's: the message is no question to the documents."""


class Match(StrEnum):
    """What a passage must have, to be a hit."""

    ANY = "any"
    """Something of the query's meaning, or some of its words."""
    WORDS = "words"
    """Each word of the query, in any form of it that has the same stem."""
    PHRASE = "phrase"
    """The text of the query, whatever its case and spaces."""


MatchName = Annotated[Match, Field(strict=False)]
"""As it stands in a request: by its name."""


def is_printable_name(text: str) -> bool:
    """True if this can be the name of a tenant or a knowledge base: 1 to 63 bytes of printable text."""
    return text.isprintable() and 1 <= len(text.encode("utf-8", "replace")) <= PRINTABLE_NAME_BYTES


def _checked(text: str) -> str:
    if not is_printable_name(text):
        raise ValueError(f"must be 1 to {PRINTABLE_NAME_BYTES} bytes of printable text")
    return text


PrintableName = Annotated[str, AfterValidator(_checked)]


Relevance = Annotated[float, Field(ge=0, le=1)]
MIN_RELEVANCE = 0.35
"""On public questions in English and Korean, it answers at least 96 % of those whose document is there, and refuses at
least 92 % of others. A lower value answers more of both."""


class SearchRequest(Body):
    tenant: PrintableName
    knowledge_bases: Annotated[list[PrintableName], Field(max_length=32)]
    query: Annotated[str, Field(min_length=1, max_length=8_192)]
    earlier: Annotated[list[Annotated[str, Field(min_length=1, max_length=8_192)]], Field(max_length=2)] = Field(
        default_factory=list
    )
    """The questions that a follow-up may mean, oldest first."""
    answered: Annotated[str, Field(max_length=8_192)] = ""
    """The answer before the message. Where nothing else is found, its document is the evidence."""
    match: MatchName = Match.ANY
    """Words and phrases are looked for in the 1,000 best passages by words; the relevance does not decide then."""
    filter: Filter | None = None
    """Only documents whose attributes match are searched."""
    top_k: Annotated[int, Field(ge=1, le=50)] = 4
    min_relevance: Relevance = MIN_RELEVANCE
    """The answer has evidence if a chunk is at least so relevant."""
    explain: bool = False
    """Asks for every hit, not only for the evidence."""


class Evidence(Reply):
    """One chunk of a document. `dense_score` or `lexical_score` is null if its retriever did not return the chunk."""

    chunk_id: str
    document_id: str
    document: str
    """The file's path relative to its source, or the name of an uploaded file."""
    file_id: str = ""
    """The file's id in the API."""
    attributes: dict[str, str | float | bool] = Field(default_factory=dict)
    """The attributes of an uploaded file."""
    dated: int = 0
    """When this version of the document was saved, uploaded or fetched, in seconds since the epoch; 0 if unknown."""
    knowledge_base: str
    ordinal: int
    """The chunk's position in the document, from 0."""
    page: int = 0
    """The page or slide, from 1; 0 where the format has none."""
    heading: str
    """The headings above the chunk, joined by " > "; empty without one."""
    text: str
    score: float
    """The relevance: the probability that the chunk holds the answer, 0 to 1."""
    dense_score: float | None
    lexical_score: float | None
    rerank_score: float | None = None
    """The score of the re-ranker, if one read the chunk; only scores of one search can be compared."""

    @property
    def passage(self) -> str:
        """The heading and the text, for a model: without a heading, a text such as "30 days" has no subject."""
        if self.heading.casefold() in self.text.casefold():
            return self.text
        return f"{self.heading}: {self.text}"


class Seconds(Reply):
    embed: float
    search: float
    rank: float


class SearchResponse(Reply):
    outcome: Outcome
    evidence: list[Evidence]
    considered: list[Evidence] = Field(default_factory=list)
    """Every hit, most relevant first, if the request asks to explain; else empty."""
    reranked: int | None = None
    """The number of hits that the re-ranker put in order; 0 if it failed, null if none was asked."""
    best: float | None = None
    """The relevance of the most relevant hit, whether or not it is evidence; null without hits."""
    other_embedder_hits: int = 0
    """The number of hits whose vector is of another embedder than the query's: they were found by their words alone."""
    embedding: str
    """The embedding of the query: base64 of little-endian float32[dimensions]; zeros if it could not be made."""
    embedder: str = ""
    """The id of the model that made it."""
    embedded: bool = True
    """False if the embedder did not answer: documents were searched for by the question's words alone."""
    seconds: Seconds


class EmbedRequest(Body):
    texts: Annotated[list[Annotated[str, Field(min_length=1, max_length=32_768)]], Field(min_length=1, max_length=128)]


class EmbedResponse(Reply):
    embeddings: list[str]
    """Base64 of little-endian float32[dimensions] of length 1, one for each text."""
    tokens: int
    """The number of tokens in all texts together."""
