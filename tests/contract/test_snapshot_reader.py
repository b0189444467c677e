"""Snapshots read one after the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.adapter_slice import AdapterSlice
from contract.objects import AnyObject, collect
from contract.snapshot import Problem, Snapshot
from contract.snapshot_reader import SnapshotReader, written
from tests.operators import objects

CHOICES: tuple[AnyObject, ...] = (
    objects.base_model(), objects.base_model("other"), objects.tenant("acme"), objects.tenant("globex"),
    objects.adapter("support"), objects.adapter("support", namespace="globex"), objects.prompt_adapter(),
    objects.knowledge_base(), objects.fine_tune(), objects.evaluation(), objects.api_key(),
)  # fmt: skip
snapshots = st.builds(
    lambda generation, items, problems: Snapshot(
        generation=generation, objects=collect(items), problems=tuple(Problem(file=p, message=p) for p in problems)
    ),
    st.integers(0, 9),
    st.lists(st.sampled_from(CHOICES), unique_by=lambda item: item.key),
    st.lists(st.text(max_size=3), max_size=2),
)


def _written(snapshot: Snapshot) -> bytes:
    return written(snapshot).encode()


@given(st.lists(snapshots, max_size=5))
def test_each_snapshot_is_what_was_written_whatever_was_read_before(written: list[Snapshot]) -> None:
    reader = SnapshotReader()
    for snapshot in written:
        assert reader.read(_written(snapshot)) == snapshot


def test_an_object_that_did_not_change_is_the_same_one() -> None:
    reader = SnapshotReader()
    first = reader.read(_written(Snapshot(objects=collect(CHOICES))))
    second = reader.read(_written(Snapshot(objects=collect([*CHOICES, objects.adapter("sales")]))))
    assert all(item in map(id, second.objects.all) for item in map(id, first.objects.all))


def test_slices_are_read() -> None:
    slices = (AdapterSlice.of("base-0", "base", {"acme.support.1": ["engine-0"], "acme.sales.1": ["engine-1"]}),)
    assert SnapshotReader().read(_written(Snapshot(adapter_slices=slices))).adapter_slices == slices


@given(snapshots)
def test_what_is_written_is_json_that_anybody_reads(snapshot: Snapshot) -> None:
    assert Snapshot.model_validate_json(_written(snapshot)) == snapshot
    for indent in (None, 1):
        text = f"{snapshot.model_dump_json(by_alias=True, indent=indent)}\n"
        assert SnapshotReader().read(text.encode()) == snapshot


def _without_end(content: bytes) -> bytes:
    return content[: len(content) // 2]


BROKEN = (
    b"", b"{", b'{"objects": {"gadgets": []}}', b'{"objects": {"tenants": [{}]}}',
    b'{"generation":1,\n"objects":{\n"gadgets":[\n{}\n]\n}\n}',
    b'{"generation":1,\n"objects":{\n"tenants":[\n{}\n]\n}\n}',
    _without_end(_written(Snapshot(objects=collect(CHOICES)))),
)  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_no_snapshot_is_refused_and_the_next_one_is_read(broken: bytes) -> None:
    reader, snapshot = SnapshotReader(), Snapshot(objects=collect(CHOICES))
    reader.read(_written(snapshot))
    with pytest.raises(ValueError, match=r".+"):
        reader.read(broken)
    assert reader.read(_written(snapshot)) == snapshot
