"""Passages of a vector store's search, in their order."""

import pytest

from contract.search import Match
from serving.gateway.errors import InvalidRequest
from serving.gateway.requests.vector_search import parse
from serving.gateway.vector_search import best
from tests.serving.gateway.passages import evidence


def test_the_order_of_one_query_is_kept_as_a_reranker_may_have_decided_it() -> None:
    first, second = (evidence(number).model_copy(update={"score": score}) for number, score in ((1, 0.4), (2, 0.9)))
    assert best([[first, second]], parse({"query": "q"})) == [first, second]
    assert best([[first], [second]], parse({"query": ["q", "r"]})) == [second, first]
    assert best([[first, second]], parse({"query": "q", "ranking_options": {"score_threshold": 0.5}})) == [second]


@pytest.mark.parametrize("match", list(Match))
def test_a_match_is_asked_for_by_its_name(match: Match) -> None:
    assert parse({"query": "q", "match": match.value}).match is match


def test_another_match_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="match"):
        parse({"query": "q", "match": "exactly"})
