"""Near copies are in one group, others are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.duplicates import groups, overlap

LONG = "What is the refund window of the Velmora Basic plan for customers who pay by the year?"


@pytest.mark.parametrize(("one", "other", "near"), [
    (LONG, LONG.upper() + "  ", True), (LONG, LONG.replace("window", "Window  "), True),
    (LONG, LONG.replace("?", "??"), True),
    (LONG, "How much does the parking cost on Sundays, and who pays for it?", False),
    ("연간 요금제의 환불 기간은 며칠인가요? 알려 주세요.", "연간 요금제의 환불 기간은 며칠인가요? 알려 주세요!", True),
    ("a", "a", True), ("a", "b", False), ("", "", True), ("", "b", False),
])  # fmt: skip
def test_near_copies_are_in_one_group(one: str, other: str, near: bool) -> None:
    first, second = groups([one, other])
    assert (first == second) is near


def test_groups_join_by_way_of_others() -> None:
    texts = [LONG, f"{LONG} Thanks", f"{LONG} Thanks a lot"]
    assert groups(texts) == [0, 0, 0]


def test_a_great_many_rows_are_quick_and_each_copy_is_found() -> None:
    texts = [f"Question {n}: what does part number {n * 7919} cost in shop {n % 13}?" for n in range(300)]
    numbers = groups([*texts, *texts])
    assert numbers[300:] == numbers[:300]


@given(st.lists(st.text(max_size=40), max_size=20))
def test_a_group_is_named_by_its_first_text_and_order_within_does_not_matter(texts: list[str]) -> None:
    numbers = groups(texts)
    assert all(numbers[number] == number <= index for index, number in enumerate(numbers))
    for index, text in enumerate(texts):
        assert numbers[index] == numbers[texts.index(text)]


@given(st.frozensets(st.integers()), st.frozensets(st.integers()))
def test_the_overlap_is_symmetric_and_a_share(one: frozenset[int], other: frozenset[int]) -> None:
    assert 0 <= overlap(one, other) == overlap(other, one) <= 1
    assert overlap(one, one) == 1
