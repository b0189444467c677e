"""POST /v1/vector_stores/ID/search (pure)."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, ValidationError

from contract.filters import Filter
from contract.search import Match, MatchName, Relevance
from serving.gateway.errors import InvalidRequest
from serving.gateway.requests.refusals import refusal
from serving.gateway.requests.value import Value, one_or_many

MOST_QUERIES = 8

_Query = Annotated[str, StringConstraints(min_length=1, max_length=8_192)]


class RankingOptions(Value):
    """`score_threshold` is a relevance: the probability that a passage holds the answer."""

    ranker: Literal["none", "auto", "default-2024-11-15"] = "auto"
    score_threshold: Relevance = 0.0


class VectorSearchRequest(Value):
    query: Annotated[
        Annotated[_Query, Tag("<one>")]
        | Annotated[list[_Query], Field(min_length=1, max_length=MOST_QUERIES, fail_fast=True), Tag("<many>")],
        Discriminator(one_or_many),
    ]
    filters: Filter | None = None
    match: MatchName = Match.ANY
    """Ours: passages with every word of the query, or with its text."""
    max_num_results: Annotated[int, Field(ge=1, le=50)] = 10
    ranking_options: RankingOptions = RankingOptions()
    rewrite_query: Literal[False] = False

    kept = frozenset({"filters"})

    @property
    def queries(self) -> list[str]:
        return [self.query] if isinstance(self.query, str) else self.query


def parse(body: Any) -> VectorSearchRequest:
    """Raises InvalidRequest for the first wrong field."""
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_body")
    try:
        return VectorSearchRequest.model_validate(body)
    except ValidationError as error:
        raise refusal(error) from error
