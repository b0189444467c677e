"""BM25 as an inner product."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.bm25 import AVERAGE_TERMS, K1, B, Statistics, document_vector, query_vector
from retrieval.store.schema import TEXT_BYTES

TERMS = st.lists(st.sampled_from("abcdefgh"), max_size=30)


def score(query: list[str], document: list[str], statistics: Statistics) -> float:
    weights, said = query_vector(statistics.rarities(query)), document_vector(document)
    return sum(weight * said.get(dimension, 0.0) for dimension, weight in weights.items())


@given(TERMS, TERMS, st.lists(TERMS, min_size=2, max_size=6))
def test_the_inner_product_is_the_textbook_formula(
    query: list[str], document: list[str], corpus: list[list[str]]
) -> None:
    statistics, expected = Statistics.of(corpus), 0.0
    for term in set(query):
        holding = sum(term in chunk for chunk in corpus)
        holding = holding if holding > 1 else 0  # what one chunk holds is taken to be as rare as what none holds
        idf = math.log(1 + (len(corpus) - holding + 0.5) / (holding + 0.5))
        said = Counter(document)[term]
        expected += idf * said * (K1 + 1) / (said + K1 * (1 - B + B * len(document) / AVERAGE_TERMS))
    assert score(query, document, statistics) == pytest.approx(expected)


def test_a_rare_term_counts_more_than_a_frequent_one() -> None:
    statistics = Statistics.of([["plan", "basic"], ["plan", "pro"], ["plan", "velmora"]])
    assert statistics.rarity("velmora") > statistics.rarity("plan") > 0


def test_statistics_of_several_knowledge_bases_add_up() -> None:
    one, other = Statistics.of([["a"], ["a"]]), Statistics.of([["a", "b"], ["a", "b"], ["c"]])
    assert Statistics.merged([one, other]) == Statistics(5, {"a": 4, "b": 2})
    assert Statistics.merged([]) == Statistics()


def test_statistics_come_back_from_the_store_and_always_fit_into_it() -> None:
    many = [[f"{'가' * 4}{number}" for number in range(3_000)] + ["x" * 64] for _chunk in range(5_000 // 100)]
    statistics = Statistics.of(many)
    assert 2_000 < len(statistics.frequent) < 3_000
    assert len(statistics.to_json().encode()) <= TEXT_BYTES
    assert Statistics.from_json(statistics.to_json()) == statistics


def test_a_text_without_terms_has_a_vector_that_no_query_meets() -> None:
    assert len(document_vector([])) == 1
    assert score(["a"], [], Statistics()) == 0
    assert query_vector({}) == {}
