"""What counts as evidence."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.search import MIN_RELEVANCE, Outcome
from retrieval.relevance import Signals, decide, relevance, shared

SHARES = st.floats(0, 1)


@pytest.mark.parametrize(
    ("relevances", "least", "outcome"),
    [
        ([], 0.5, Outcome.NO_HITS),
        ([0.1, 0.5], 0.5, Outcome.EVIDENCE),
        ([0.49], 0.5, Outcome.BELOW_GATE),
        ([0.0], 0.0, Outcome.EVIDENCE),
    ],
)
def test_the_most_relevant_hit_decides(relevances: list[float], least: float, outcome: Outcome) -> None:
    assert decide(relevances, least) is outcome


@given(st.none() | st.floats(-1, 0.9), SHARES, SHARES, st.floats(0, 10))
def test_relevance_is_a_probability_that_grows_with_each_signal(
    cosine: float | None, covered: float, match: float, matched: float
) -> None:
    signals = Signals(cosine, covered, match, matched)
    assert 0 < relevance(signals) < 1
    assert relevance(replace(signals, coverage=covered + 0.1)) > relevance(signals)
    assert relevance(replace(signals, match=match + 0.1)) > relevance(signals)
    assert relevance(replace(signals, matched=matched + 1)) > relevance(signals)
    if cosine is not None:
        assert relevance(replace(signals, cosine=cosine + 0.1)) > relevance(signals)


def test_near_in_meaning_or_in_words_is_enough_and_a_little_of_both_is_not() -> None:
    assert relevance(Signals(cosine=0.8, coverage=0.3, match=0.2, matched=1)) > MIN_RELEVANCE
    assert relevance(Signals(cosine=0.2, coverage=0.7, match=0.5, matched=2)) > MIN_RELEVANCE
    assert relevance(Signals(cosine=None, coverage=0.7, match=0.4, matched=3)) > MIN_RELEVANCE
    assert relevance(Signals(cosine=0.3, coverage=0.3, match=0.2, matched=1)) < MIN_RELEVANCE
    assert relevance(Signals(cosine=None, coverage=0.25, match=0.1, matched=1)) < MIN_RELEVANCE


def test_shared_terms_count_by_rarity() -> None:
    rarities = {"plan": 1.0, "velmora": 3.0}
    assert shared(rarities, frozenset({"plan", "other"})) == 1
    assert shared(rarities, frozenset({"plan", "velmora"})) == 4
    assert shared({}, frozenset({"plan"})) == 0
