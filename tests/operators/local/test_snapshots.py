from pathlib import Path

from contract.snapshot import Snapshot
from operators.local import snapshots


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    assert snapshots.read(path) == Snapshot()
    snapshots.write(path, Snapshot(generation=7))
    assert snapshots.read(path).generation == 7
    assert snapshots.is_intact(path)


def test_a_snapshot_that_is_gone_or_cut_short_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    assert not snapshots.is_intact(path)
    snapshots.write(path, Snapshot(generation=7))
    path.write_bytes(path.read_bytes()[:-2])
    assert not snapshots.is_intact(path)
    path.write_bytes(b"")
    assert not snapshots.is_intact(path)
