from hypothesis import given
from hypothesis import strategies as st

from operators.desired.sharded_map import ShardedMap

KEYS = st.integers(0, 600)
ITEMS = st.dictionaries(KEYS, st.integers(0, 3))


@given(ITEMS, st.dictionaries(KEYS, st.none() | st.integers(0, 3)))
def test_a_changed_copy_has_the_changes_and_the_original_has_not(
    items: dict[int, int], changes: dict[int, int | None]
) -> None:
    original: ShardedMap[int, int] = ShardedMap(items)
    copy = original.updated(changes)
    expected = {key: value for key, value in (items | changes).items() if value is not None}
    assert dict(original) == items
    assert dict(copy) == expected
    assert len(copy) == len(expected)
    assert original.difference(copy) == {key for key in items.keys() | changes if items.get(key) != expected.get(key)}


@given(ITEMS, ITEMS)
def test_two_that_share_nothing_are_compared_by_value(one: dict[int, int], two: dict[int, int]) -> None:
    differing = {key for key in one.keys() | two.keys() if one.get(key) != two.get(key)}
    assert ShardedMap(one).difference(ShardedMap(two)) == differing
