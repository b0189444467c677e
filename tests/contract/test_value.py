"""A value in less memory is the same value."""

from contract.adapter import AdapterSpec
from contract.value import compacted
from tests.operators import objects


def test_a_compacted_value_is_equal_and_is_written_in_the_same_way() -> None:
    adapter = objects.adapter()
    text = adapter.model_dump_json(by_alias=True, exclude_none=True)
    compact = compacted(adapter.model_copy(deep=True))
    assert compact == adapter
    assert compact.model_dump_json(by_alias=True, exclude_none=True) == text


def test_a_copy_of_a_compacted_value_leaves_the_others_of_its_class_alone() -> None:
    one, other = (compacted(AdapterSpec(base_model="base", source=f"/{name}")) for name in "ab")
    changed = one.model_copy(update={"source": "/c"})
    assert (changed.source, one.source, other.source) == ("/c", "/a", "/b")
    assert one.model_fields_set is other.model_fields_set
    assert changed.model_fields_set == other.model_fields_set
