"""Reciprocal rank fusion."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.ranking import Leg, fuse

IDS = st.lists(st.sampled_from("abcdefghij"), unique=True)


def test_what_both_legs_found_comes_before_what_one_found_at_the_same_rank() -> None:
    assert [found for found, _ in fuse([Leg("abc"), Leg("xbz")])] == ["b", "a", "x", "c", "z"]


def test_a_leg_that_is_not_believed_adds_nothing() -> None:
    assert fuse([Leg("ab"), Leg("xyz", weight=0)]) == fuse([Leg("ab")])


def test_equal_scores_are_ordered_by_id() -> None:
    assert [found for found, _ in fuse([Leg("b"), Leg("a")])] == ["a", "b"]


@given(IDS, IDS)
def test_every_hit_is_ranked_once_and_the_order_of_the_legs_is_no_matter(one: list[str], other: list[str]) -> None:
    fused = fuse([Leg(one), Leg(other)])
    assert sorted(found for found, _ in fused) == sorted({*one, *other})
    assert fused == fuse([Leg(other), Leg(one)])
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


@given(IDS)
def test_one_leg_alone_keeps_its_order(ids: list[str]) -> None:
    assert [found for found, _ in fuse([Leg(ids)])] == ids
