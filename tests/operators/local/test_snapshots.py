from pathlib import Path

from operators.api.snapshot import Snapshot
from operators.local import snapshots


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    assert snapshots.read(path) == Snapshot()
    snapshots.write(path, Snapshot(generation=7))
    assert snapshots.read(path).generation == 7
    assert snapshots.keep_unreadable(path) is None
    assert snapshots.read(path).generation == 7


def test_a_snapshot_of_another_release_is_put_aside_and_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    path.write_text('{"generation": 7, "what": "this release does not know"}')
    aside = snapshots.keep_unreadable(path)
    assert aside is not None
    assert "does not know" in aside.read_text()
    assert not path.exists()
    assert snapshots.keep_unreadable(path) is None
