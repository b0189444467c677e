"""Reciprocal rank fusion."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.ranking import WeightedRanking, fuse

IDS = st.lists(st.sampled_from("abcdefghij"), unique=True)


def test_what_both_legs_found_comes_before_what_one_found_at_the_same_rank() -> None:
    assert [found for found, _ in fuse([WeightedRanking("abc"), WeightedRanking("xbz")])] == ["b", "a", "x", "c", "z"]


def test_a_leg_that_is_not_believed_adds_nothing() -> None:
    assert fuse([WeightedRanking("ab"), WeightedRanking("xyz", weight=0)]) == fuse([WeightedRanking("ab")])


def test_equal_scores_are_ordered_by_id() -> None:
    assert [found for found, _ in fuse([WeightedRanking("b"), WeightedRanking("a")])] == ["a", "b"]


@given(IDS, IDS)
def test_every_hit_is_ranked_once_and_the_order_of_the_legs_is_no_matter(one: list[str], other: list[str]) -> None:
    fused = fuse([WeightedRanking(one), WeightedRanking(other)])
    assert sorted(found for found, _ in fused) == sorted({*one, *other})
    assert fused == fuse([WeightedRanking(other), WeightedRanking(one)])
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


@given(IDS)
def test_one_leg_alone_keeps_its_order(ids: list[str]) -> None:
    assert [found for found, _ in fuse([WeightedRanking(ids)])] == ids
