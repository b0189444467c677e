import sqlite3
from pathlib import Path

import pytest

from contract.objects import collect
from contract.resource import Key, Status
from contract.snapshot import Snapshot
from contract.tenant import TenantStatus
from operators.local import record, snapshots
from operators.local.record import FILE, Record, RecordLostError, opened
from tests.operators import objects

ACME = Key(kind="Tenant", namespace=None, name="acme")
STATUS: dict[Key, Status] = {ACME: TenantStatus(namespace="acme", adapters=3)}


def _state(tmp_path: Path, *, ran: bool = True) -> Path:
    """With a record and a snapshot of one tenant."""
    state = tmp_path / ".quiver"
    state.mkdir()
    if ran:
        (state / "store" / "base").mkdir(parents=True)
    first = opened(state, state / "snapshot.json", begin_anew=True)
    first.write(STATUS, 7)
    first.close()
    tenant = objects.tenant().model_copy(update={"status": STATUS[ACME]})
    snapshots.write(state / "snapshot.json", Snapshot(generation=7, objects=collect([tenant])))
    return state


def test_what_was_written_is_there_after_a_crash(tmp_path: Path) -> None:
    state = _state(tmp_path)
    again = opened(state, state / "snapshot.json")
    assert (again.statuses(), again.generation) == (STATUS, 7)


def test_a_status_of_an_object_that_is_gone_is_removed(tmp_path: Path) -> None:
    state = _state(tmp_path)
    found = opened(state, state / "snapshot.json")
    found.write({}, 8)
    found.close()
    assert Record(state / FILE).is_empty


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be read as one" * 100, None])
def test_a_lost_record_is_made_again_from_the_snapshot(tmp_path: Path, content: bytes | None) -> None:
    state = _state(tmp_path)
    if content is None:
        (state / FILE).unlink()
    else:
        (state / FILE).write_bytes(content)
    again = opened(state, state / "snapshot.json")
    assert (again.statuses(), again.generation) == (STATUS, 7)


def test_a_record_that_is_cut_short_is_made_again_and_kept_for_a_look(tmp_path: Path) -> None:
    state = _state(tmp_path)
    path = state / FILE
    path.write_bytes(path.read_bytes()[:5000])
    assert opened(state, state / "snapshot.json").statuses() == STATUS


def test_where_record_and_snapshot_are_lost_nothing_is_released_without_a_word(tmp_path: Path) -> None:
    state = _state(tmp_path)
    (state / FILE).unlink()
    (state / "snapshot.json").write_bytes(b"{")
    with pytest.raises(RecordLostError, match="--begin-anew"):
        opened(state, state / "snapshot.json")
    with pytest.raises(RecordLostError):  # the second time as well
        opened(state, state / "snapshot.json")
    assert opened(state, state / "snapshot.json", begin_anew=True).statuses() == {}


def test_to_begin_anew_gives_up_nothing_that_can_be_read(tmp_path: Path) -> None:
    state = _state(tmp_path)
    found = opened(state, state / "snapshot.json", begin_anew=True)
    assert found.statuses() == STATUS
    found.close()
    (state / FILE).unlink()
    assert opened(state, state / "snapshot.json", begin_anew=True).statuses() == STATUS


def test_a_first_run_has_lost_nothing(tmp_path: Path) -> None:
    assert opened(tmp_path, tmp_path / "snapshot.json").is_empty


def test_a_record_that_is_removed_or_damaged_while_it_is_used_is_written_whole_again(tmp_path: Path) -> None:
    state = _state(tmp_path)
    found = opened(state, state / "snapshot.json")
    (state / FILE).unlink()
    found.write(STATUS, 9)
    assert Record(state / FILE).statuses() == STATUS
    with (state / FILE).open("r+b") as file:
        file.write(b"\0" * 4096)
    found.write({**STATUS, Key(kind="Tenant", namespace=None, name="b"): TenantStatus()}, 10)
    found.close()
    assert len(Record(state / FILE).statuses()) == 2


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = _state(tmp_path)
    found = opened(state, state / "snapshot.json")
    found._connection.execute("pragma max_page_count = 1")
    many: dict[Key, Status] = {
        Key(kind="Tenant", namespace=None, name=f"t{number}"): TenantStatus(namespace="n" * 60)
        for number in range(2000)
    }
    with pytest.raises(sqlite3.OperationalError):
        found.write(many, 8)
    found._connection.execute("pragma max_page_count = 1000000")
    assert found.statuses() == STATUS
    found.write(many, 8)
    assert len(record.Record(state / FILE).statuses()) == 2000


def test_a_status_that_cannot_be_read_is_not_forgotten(tmp_path: Path) -> None:
    state = _state(tmp_path)
    with sqlite3.connect(state / FILE) as connection:
        connection.execute('update statuses set status = \'{"adapters": "many"}\'')
    connection.close()
    with pytest.raises(RecordLostError, match="Tenant acme"):
        opened(state, state / "snapshot.json").statuses()
    (state / "snapshot.json").unlink()
    assert opened(state, state / "snapshot.json", begin_anew=True).statuses() == {}
