"""What a slice says of its versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.adapter_slice import AdapterSlice, AdapterSliceSpec, SlicedVersion

REPLICAS = st.dictionaries(st.text("ab.", min_size=1), st.sets(st.sampled_from([f"pod-{n}" for n in range(12)])))


@given(REPLICAS)
def test_it_is_read_as_it_was_written(replicas: dict[str, set[str]]) -> None:
    written = AdapterSlice.of("base-1", "base", replicas)
    assert AdapterSlice.from_data(written.to_data()).replicas == replicas


def test_a_version_on_all_replicas_takes_a_range() -> None:
    pods = {f"pod-{number:03}" for number in range(100)}
    written = AdapterSlice.of("base-1", "base", {"a": pods, "b": pods - {"pod-003"}, "c": {"pod-099"}})
    assert [version.on for version in written.spec.versions] == ["0-99", "0-2,4-99", "99"]


def test_numbers_beyond_the_replicas_count_for_nothing() -> None:
    spec = AdapterSliceSpec(base_model="base", replicas=("p",), versions=(SlicedVersion(name="a", on="0-999999999"),))
    assert AdapterSlice(name="base-1", spec=spec).replicas == {"a": {"p"}}


@pytest.mark.parametrize("on", ["-1", "1-", "a", "1,,2", "0 1"])
def test_other_texts_are_refused(on: str) -> None:
    with pytest.raises(ValidationError):
        SlicedVersion(name="a", on=on)
