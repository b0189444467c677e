import asyncio
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from serving.agent.adapter_config import CONFIG
from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.kinds import local
from serving.agent.sources.policy import Policy
from serving.agent.verify import FILES
from serving.agent.weights import WEIGHTS
from tests.serving.agent.sources.attempt import refused, unavailable


@pytest.fixture
def volume(policy: Policy, artifact: Path) -> Path:
    """A claim's own directory, with the artifact in `a/b`."""
    assert policy.volumes is not None
    claim = policy.volumes / "claim"
    (claim / "a").mkdir(parents=True)
    artifact.rename(claim / "a" / "b")
    artifact.symlink_to(claim / "a" / "b")
    return claim


@pytest.mark.parametrize("scheme", ["", "file://"])
async def test_a_directory_below_a_root_is_copied(
    policy: Policy, artifact: Path, into: Path, fetched: Callable[[], bool], scheme: str
) -> None:
    (artifact / "README.md").write_text("not a part of an adapter")
    await Fetcher(policy).fetch(f"{scheme}{artifact}", into, {})
    assert fetched()


async def test_a_directory_of_a_volume_is_copied(
    policy: Policy, volume: Path, into: Path, fetched: Callable[[], bool]
) -> None:
    await Fetcher(policy).fetch("pvc://claim/a/b", into, {})
    assert fetched()


async def test_a_link_to_a_directory_inside_the_volume_is_followed(
    policy: Policy, volume: Path, into: Path, fetched: Callable[[], bool]
) -> None:
    (volume / "latest").symlink_to("a/b")
    await Fetcher(policy).fetch("pvc://claim/latest", into, {})
    assert fetched()


async def test_a_link_out_of_the_volume_is_refused(policy: Policy, volume: Path, into: Path, tmp_path: Path) -> None:
    (volume.parent / "other").mkdir()
    (volume / "a" / "b").rename(volume.parent / "other" / "b")
    (volume / "link").symlink_to(volume.parent / "other" / "b")
    assert (await refused(policy, "pvc://claim/link", into)).reason == "SourceOutside"
    (volume / "up").symlink_to("..")
    assert (await refused(policy, "pvc://claim/up/other/b", into)).reason == "SourceOutside"
    (volume / "circle").symlink_to("circle")
    assert (await refused(policy, "pvc://claim/circle", into)).reason in ("SourceOutside", "SourceMissing")


async def test_a_path_that_is_below_no_root_is_refused(policy: Policy, artifact: Path, into: Path) -> None:
    elsewhere = replace(policy, file_roots=(artifact.parent / "adapters",))
    error = await refused(elsewhere, str(artifact), into)
    assert error.reason == "SourceOutside"
    assert "adapters" in error.message
    assert (await refused(replace(policy, file_roots=()), str(artifact), into)).reason == "SourceOutside"


async def test_a_volume_where_none_is_mounted_is_refused(policy: Policy, into: Path) -> None:
    error = await refused(replace(policy, volumes=None), "pvc://claim/a", into)
    assert error.reason == "SourceUnsupported"


async def test_what_is_no_directory_is_missing(policy: Policy, artifact: Path, into: Path) -> None:
    for path in (artifact / "absent", artifact / CONFIG, artifact / CONFIG / "below"):
        assert (await refused(policy, str(path), into)).reason == "SourceMissing"
    assert (await refused(policy, "pvc://absent/a", into)).reason == "SourceMissing"


async def test_files_that_are_not_there_are_named(policy: Policy, artifact: Path, into: Path) -> None:
    (artifact / WEIGHTS).rename(artifact / "adapter_model.bin")
    assert (await refused(policy, str(artifact), into)).reason == "Pickle"
    (artifact / "adapter_model.bin").unlink()
    error = await refused(policy, str(artifact), into)
    assert error.reason == "FileMissing"
    assert WEIGHTS in error.message


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/hostname"), os.mkfifo, os.mkdir])
async def test_links_pipes_and_directories_are_no_files(
    policy: Policy, artifact: Path, into: Path, name: str, make: Callable[[Path], None]
) -> None:
    (artifact / name).unlink()
    make(artifact / name)
    error = await refused(policy, str(artifact), into)
    assert error.reason == "NotARegularFile"
    assert name in error.message


async def test_more_than_the_limit_is_refused(policy: Policy, artifact: Path, into: Path) -> None:
    size = sum((artifact / name).stat().st_size for name in FILES)
    assert (await refused(replace(policy, max_bytes=size - 1), str(artifact), into)).reason == "TooLarge"
    await Fetcher(replace(policy, max_bytes=size)).fetch(str(artifact), into, {})


def _grow(artifact: Path) -> None:
    with (artifact / CONFIG).open("ab") as file:
        file.write(b" ")


def _exchange(artifact: Path) -> None:
    new = artifact / "new"
    new.write_bytes((artifact / CONFIG).read_bytes())
    times = (artifact / CONFIG).stat()
    os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
    new.replace(artifact / CONFIG)


@pytest.mark.parametrize("change", [_grow, _exchange, lambda artifact: (artifact / CONFIG).unlink()])
async def test_a_file_that_changes_while_the_other_is_copied_is_tried_again(
    policy: Policy, artifact: Path, into: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    copy = local._copy_file

    def copy_then_change(*arguments: object) -> int:
        size = copy(*arguments)  # type: ignore[arg-type]
        if (into / f"{WEIGHTS}.part").exists():
            change(artifact)
        return size

    monkeypatch.setattr(local, "_copy_file", copy_then_change)
    assert (await unavailable(policy, str(artifact), into)).reason == "SourceChanging"
    assert not (into / CONFIG).exists()


async def test_a_copy_that_takes_too_long_is_left_off_and_touches_nothing_any_more(
    policy: Policy, artifact: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file server that hangs. By the time that it goes on, the directory may be another attempt's."""
    hangs, released, ended = threading.Event(), threading.Event(), threading.Event()
    copy, copy_file = local.copy, local._copy_file

    def hang(*arguments: object) -> int:
        size = copy_file(*arguments)  # type: ignore[arg-type]
        hangs.set()
        released.wait(10)
        return size

    def note_end(*arguments: object) -> None:
        try:
            copy(*arguments)  # type: ignore[arg-type]
        finally:
            ended.set()

    monkeypatch.setattr(local, "_copy_file", hang)
    monkeypatch.setattr(local, "copy", note_end)
    try:
        error = await unavailable(replace(policy, timeout_s=0.2), str(artifact), into)
        assert error.reason == "FetchTimedOut"
        assert await asyncio.to_thread(hangs.wait, 10)
    finally:
        released.set()
    assert await asyncio.to_thread(ended.wait, 10)
    assert [path.name for path in into.iterdir()] == [f"{CONFIG}.part"]
