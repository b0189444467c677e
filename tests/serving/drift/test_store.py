"""Files that somebody else has written to."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.drift import verdict
from serving.drift.errors import StateError
from serving.drift.series import Series, begun, with_samples
from serving.drift.store import Record, Store

SERIES = Series(with_samples(begun(8), 5, np.ones((3, 8), np.float32)).hours, reference_end=6, window_start=7)
RECORD = Record(SERIES, verdict.unknown(1.0))
NAME = "query_embedding"
WIDTHS = {NAME: 8}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path, bytes]:
    directory = tmp_path_factory.mktemp("state")
    store = Store(directory)
    store.save("acme", {NAME: RECORD})
    return store, directory, (directory / "acme.npz").read_bytes()


def test_what_was_saved_is_loaded(saved: tuple[Store, Path, bytes]) -> None:
    store, directory, good = saved
    (directory / "acme.npz").write_bytes(good)
    loaded = store.load("acme", WIDTHS | {"newer": 3})[NAME]
    assert loaded.verdict == RECORD.verdict
    assert (loaded.series.reference_end, loaded.series.window_start) == (6, 7)
    for part in ("hour", "count", "total"):
        assert np.array_equal(getattr(loaded.series.hours, part), getattr(SERIES.hours, part))


@given(place=st.integers(0, 1_299), value=st.integers(0, 255))
@example(place=-1, value=0)
@example(place=8, value=8)
def test_damage_is_a_state_error_that_keeps_the_file_or_no_damage_at_all(
    saved: tuple[Store, Path, bytes], place: int, value: int
) -> None:
    store, directory, good = saved
    store.delete("acme")
    damaged = bytearray(good)
    damaged[place] = value
    (directory / "acme.npz").write_bytes(damaged)
    try:
        store.load("acme", WIDTHS)
    except StateError:
        assert (directory / "acme.npz.damaged").read_bytes() == damaged
        assert not (directory / "acme.npz").exists()


def test_an_earlier_damaged_file_is_kept_too(saved: tuple[Store, Path, bytes]) -> None:
    store, directory, _ = saved
    store.delete("acme")
    for content in (b"first", b"second"):
        (directory / "acme.npz").write_bytes(content)
        with pytest.raises(StateError):
            store.load("acme", WIDTHS)
    assert {path.read_bytes() for path in directory.glob("acme.npz.damaged*")} == {b"first", b"second"}
    store.delete("acme")
    assert store.tenants() == []


@pytest.mark.parametrize("method", [1, 8, 12, 14, 99])
def test_a_compression_that_was_never_used_is_damage(saved: tuple[Store, Path, bytes], method: int) -> None:
    store, directory, good = saved
    entry, damaged = good.index(b"PK\x01\x02"), bytearray(good)
    damaged[8], damaged[entry + 10] = method, method
    (directory / "acme.npz").write_bytes(damaged)
    with pytest.raises(StateError, match="is kept as"):
        store.load("acme", WIDTHS)
