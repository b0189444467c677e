"""Passages of a vector store's search, in their order."""

from serving.gateway.requests.vector_search import parse
from serving.gateway.vector_search import best
from tests.serving.gateway.passages import evidence


def test_the_order_of_one_query_is_kept_as_a_reranker_may_have_decided_it() -> None:
    first, second = (evidence(number).model_copy(update={"score": score}) for number, score in ((1, 0.4), (2, 0.9)))
    assert best([[first, second]], parse({"query": "q"})) == [first, second]
    assert best([[first], [second]], parse({"query": ["q", "r"]})) == [second, first]
    assert best([[first, second]], parse({"query": "q", "ranking_options": {"score_threshold": 0.5}})) == [second]
