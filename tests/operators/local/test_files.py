"""Hints come for what matters; what is watched is what has the name now."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from operators.local import files


@asynccontextmanager
async def _watching(root: Path, *sources: Path) -> AsyncIterator[asyncio.Event]:
    hint = asyncio.Event()
    task = asyncio.create_task(files.watch(root, lambda: frozenset(sources), hint.set))
    try:
        yield hint
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _hinted(hint: asyncio.Event, act: Callable[[], object]) -> None:
    """Acts until a hint comes: nobody says when a watch is open."""
    hint.clear()
    async with asyncio.timeout(20):
        while not hint.is_set():
            await asyncio.to_thread(act)
            await asyncio.sleep(0.2)


async def test_an_edit_of_an_object_file_is_a_hint(tmp_path: Path) -> None:
    async with _watching(tmp_path) as hint:
        await _hinted(hint, lambda: (tmp_path / "a.yaml").write_text("x"))


async def test_an_opened_watch_is_a_hint_for_what_was_edited_before(tmp_path: Path) -> None:
    async with _watching(tmp_path) as hint, asyncio.timeout(20):
        await hint.wait()


async def test_an_artifact_is_watched_after_it_is_replaced_by_rename(tmp_path: Path) -> None:
    root, source = tmp_path / "objects", tmp_path / "v1"
    root.mkdir()
    source.mkdir()
    async with _watching(root, source) as hint:
        await _hinted(hint, lambda: (source / "a").touch())
        (tmp_path / "v2").mkdir()
        source.rename(tmp_path / "old")
        (tmp_path / "v2").rename(source)
        await _hinted(hint, lambda: (source / "b").touch())


async def test_a_link_is_watched_where_it_leads_now(tmp_path: Path) -> None:
    root, link = tmp_path / "objects", tmp_path / "current"
    for path in (root, tmp_path / "one", tmp_path / "two"):
        path.mkdir()
    link.symlink_to("one")
    async with _watching(root, link) as hint:
        await _hinted(hint, lambda: (tmp_path / "one" / "a").touch())
        link.unlink()
        link.symlink_to("two")
        await _hinted(hint, lambda: (tmp_path / "two" / "b").touch())


def test_a_missing_artifact_is_watched_from_the_nearest_directory_and_no_deeper(tmp_path: Path) -> None:
    root = tmp_path / "objects"
    root.mkdir()
    missing = [tmp_path / "x" / "y" / "z", Path("/nowhere-at-all")]
    assert {place.path for place in files.identities(root, missing)} == {root, tmp_path, Path("/")}
    long = tmp_path / ("x" * 300) / "y"
    assert {place.path for place in files.identities(tmp_path, [long])} == {tmp_path}


def test_a_replaced_directory_is_another_one(tmp_path: Path) -> None:
    source = tmp_path / "v1"
    source.mkdir()
    before = files.identities(tmp_path, [source])
    source.rename(tmp_path / "old")
    source.mkdir()
    assert files.identities(tmp_path, [source]) != before


async def test_a_watch_that_cannot_be_opened_is_opened_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise OSError("inotify watch limit reached")

    monkeypatch.setattr(files, "REOPEN_S", 0.05)
    monkeypatch.setattr(files, "awatch", full)
    async with _watching(tmp_path) as hint:
        await asyncio.sleep(0.2)
        await _hinted(hint, lambda: (tmp_path / "a.yaml").write_text("x"))


async def test_a_directory_that_comes_later_is_watched_then(tmp_path: Path) -> None:
    root = tmp_path / "later"
    async with _watching(root) as hint:
        await asyncio.sleep(0.2)
        root.mkdir()
        await _hinted(hint, lambda: (root / "a.yaml").write_text("x"))
