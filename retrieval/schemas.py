"""The wire models of the query path."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from retrieval.gate import Outcome
from retrieval.scope import NAME_BYTES, is_name


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f"must be 1 to {NAME_BYTES} bytes of printable text")
    return text


Name = Annotated[str, AfterValidator(_name)]


class Body(BaseModel):
    """A request body: strict types, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SearchRequest(Body):
    tenant: Name
    knowledge_bases: Annotated[list[Name], Field(max_length=32)]
    query: Annotated[str, Field(min_length=1, max_length=8_192)]
    top_k: Annotated[int, Field(ge=1, le=20)] = 4


class Evidence(BaseModel):
    """One chunk, with the scores of the legs apart; a leg that did not find the chunk is null."""

    chunk_id: str
    document_id: str
    document: str
    knowledge_base: str
    ordinal: int
    heading: str
    text: str
    score: float
    dense_score: float | None
    lexical_score: float | None


class Seconds(BaseModel):
    embed: float
    search: float
    rank: float


class SearchResponse(BaseModel):
    """`embedding` is the base64 of the query's vector: little-endian float32[384]."""

    outcome: Outcome
    evidence: list[Evidence]
    embedding: str
    seconds: Seconds


class EmbedRequest(Body):
    texts: Annotated[list[Annotated[str, Field(min_length=1, max_length=32_768)]], Field(min_length=1, max_length=128)]


class EmbedResponse(Body):
    """`embeddings` are base64 of float32, little-endian, of length 1; `tokens` is the size of all texts."""

    embeddings: list[str]
    tokens: int
