"""When the evidence supports an answer."""

import pytest

from contract.search import Outcome
from retrieval.gate import Nearness, Thresholds, coverage, decide, names_missing

LIMITS = Thresholds(sure_cosine=0.6, sure_coverage=0.6, likely_cosine=0.25, likely_coverage=0.1)


@pytest.mark.parametrize(
    ("case", "nearness", "hits", "outcome"),
    [
        ("nothing was found", Nearness(None, 0.0, False), 0, Outcome.NO_HITS),
        ("near in meaning", Nearness(0.6, 0.0, True), 3, Outcome.EVIDENCE),
        ("near in words", Nearness(0.1, 0.6, True), 3, Outcome.EVIDENCE),
        ("near in words without a dense leg", Nearness(None, 0.6, True), 3, Outcome.EVIDENCE),
        ("in other words", Nearness(0.25, 0.0, False), 3, Outcome.EVIDENCE),
        ("in other words, of something unnamed", Nearness(0.59, 0.59, True), 3, Outcome.BELOW_GATE),
        ("a Korean question with its particles", Nearness(None, 0.1, False), 3, Outcome.EVIDENCE),
        ("far in both", Nearness(0.24, 0.09, False), 3, Outcome.BELOW_GATE),
    ],
)
def test_the_outcome_follows_from_the_legs(case: str, nearness: Nearness, hits: int, outcome: Outcome) -> None:
    assert decide(nearness, hits, LIMITS) is outcome, case


def test_coverage_is_the_best_share_of_distinct_terms_in_one_chunk() -> None:
    chunks = [frozenset({"refund", "plan"}), frozenset({"window"})]
    assert coverage(["refund", "refund", "window", "plan"], chunks) == pytest.approx(2 / 3)
    assert coverage([], chunks) == 0
    assert coverage(["refund"], []) == 0


def test_a_name_is_missing_when_no_chunk_holds_it() -> None:
    chunks = [frozenset({"velmora", "plan"}), frozenset({"window"})]
    assert not names_missing([], [])
    assert not names_missing(["velmora"], chunks)
    assert names_missing(["velmora", "huxtrea"], chunks)
