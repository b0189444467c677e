"""Keys in a directory: none is lost, none is left."""

import asyncio
from pathlib import Path

import pytest
import yaml

from contract.api_key import new_key
from contract.objects import collect, to_data
from contract.snapshot import Snapshot
from operators.local import object_files, snapshots
from operators.local.directory import STATE
from operators.local.object_files import SharedFileError
from operators.management import local_place
from operators.management.local_place import LocalPlace
from service.errors import ConflictError, UnavailableError
from tests.operators import objects


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalPlace:
    (tmp_path / STATE).mkdir()
    monkeypatch.setattr(local_place, "TAKEN_UP_S", 0.2)
    return LocalPlace(tmp_path)


async def test_a_key_that_comes_into_force_late_is_taken_back(place: LocalPlace, tmp_path: Path) -> None:
    _, key = new_key("acme", "late", b"x" * 32)
    with pytest.raises(UnavailableError, match="was not accepted"):
        await place.add(key)
    assert [path.name for path in tmp_path.iterdir()] == [STATE]


async def test_a_name_in_use_is_refused_wherever_its_file_is(place: LocalPlace, tmp_path: Path) -> None:
    _, key = new_key("acme", "boss", b"x" * 32)
    published = Snapshot(objects=collect([key]))
    await asyncio.to_thread(snapshots.write, tmp_path / STATE / "snapshot.json", published)
    _, other = new_key("acme", "boss", b"y" * 32)
    with pytest.raises(ConflictError):
        await place.add(other)
    assert [path.name for path in tmp_path.iterdir()] == [STATE]


def test_a_file_with_a_secret_beside_the_object_is_not_removed(tmp_path: Path) -> None:
    tune = to_data(objects.fine_tune())
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "acme"}, "stringData": {}}
    file = tmp_path / "training.yaml"
    file.write_text(yaml.safe_dump_all([tune, secret]))
    with pytest.raises(SharedFileError):
        object_files.remove(tmp_path, objects.fine_tune().key)
    assert file.exists()


async def test_a_snapshot_that_cannot_be_read_leaves_the_last_one(place: LocalPlace, tmp_path: Path) -> None:
    _, key = new_key("acme", "boss", b"x" * 32)
    file = tmp_path / STATE / "snapshot.json"
    assert not place.is_complete
    await asyncio.to_thread(snapshots.write, file, Snapshot(objects=collect([key])))
    assert (await place.snapshot()).objects.api_keys == (key,)
    assert place.is_complete
    await asyncio.to_thread(file.write_text, '{"of": "another release"}x')
    assert (await place.snapshot()).objects.api_keys == (key,)
    assert not place.is_complete
