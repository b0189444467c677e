"""Ids in the order of time."""

from service.clock import ordered_id


def test_later_ids_are_larger_also_within_a_millisecond() -> None:
    ids = [ordered_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {len(each) for each in ids} == {24}
