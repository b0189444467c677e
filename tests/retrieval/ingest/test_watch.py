"""Following the sources: what the kernel refuses is told and tried again."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from retrieval.ingest import watch
from retrieval.ingest.watch import follow
from retrieval.ingest.worker import Worker


class Looks:
    """Stands for a worker; counts how often it is told to look."""

    def __init__(self, root: Path) -> None:
        self.root, self.count, self.looked = root, 0, asyncio.Event()

    def roots(self) -> list[Path]:
        return [self.root]

    def look(self) -> None:
        self.count += 1
        self.looked.set()


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), RuntimeError("Error creating recommended watcher: os error 24")]
)
async def test_what_cannot_be_followed_now_is_told_with_the_remedy_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path, error: Exception
) -> None:
    refusals, looks = [error], Looks(tmp_path)

    async def awatch(*_roots: Path, **_options: object) -> AsyncIterator[set[tuple[int, str]]]:
        if refusals:
            raise refusals.pop()
        yield {(1, "a.txt")}
        await asyncio.Event().wait()

    monkeypatch.setattr(watch, "awatch", awatch)
    monkeypatch.setattr(watch, "RETRY_SECONDS", 0.01)
    caplog.set_level(logging.WARNING)
    following = asyncio.create_task(follow(cast("Worker", looks), asyncio.Event(), 5.0))
    async with asyncio.timeout(5):
        while looks.count < 3:  # at each of two beginnings, and at the change
            looks.looked.clear()
            await looks.looked.wait()
    following.cancel()
    assert "raise fs.inotify.max_user_instances" in caplog.text
    assert str(error) in caplog.text
