"""Real processes that answer, stop and hang."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from operators.local import liveness
from operators.local.layout import free_port, url
from operators.local.liveness import Liveness
from operators.local.process import Process, ProcessSpec

# Answers until a file says that it shall hang, or compute without an end.
SERVER = """
import http.server, pathlib, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        file = pathlib.Path(sys.argv[2])
        while file.exists() and file.read_text() == "compute":
            pass
        if file.exists():
            time.sleep(1000)
        self.send_response(200); self.end_headers()
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@asynccontextmanager
async def _watched(folder: Path) -> AsyncIterator[tuple[Process, Liveness]]:
    port = free_port()
    arguments = (sys.executable, "-c", SERVER, str(port), str(folder / "hang"))
    process = Process(ProcessSpec("part", arguments, dict(os.environ)), folder)
    watch = Liveness(process, url(port), "/healthz", lambda: None)
    tasks = [asyncio.create_task(process.run()), asyncio.create_task(watch.watch())]
    try:
        yield process, watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PERIOD_S", 0.05), ("ANSWER_S", 1.0), ("DOWN_S", 1.2), ("STOPPED_S", 0.5), ("HANGS_S", 3.0)):
        monkeypatch.setattr(liveness, name, value)


async def _answering(process: Process, watch: Liveness) -> int:
    """The pid once it is up."""
    async with asyncio.timeout(60):
        while not await watch._answers():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await asyncio.sleep(2 * liveness.PERIOD_S)  # the watch has seen it, too
    assert process.pid
    return process.pid


async def test_a_process_that_is_stopped_is_down_and_then_started_again(tmp_path: Path) -> None:
    async with _watched(tmp_path) as (process, watch):
        pid = await _answering(process, watch)
        os.kill(pid, signal.SIGSTOP)
        await _until(lambda: watch.down)
        await _until(lambda: process.pid not in (None, pid))
        await _until(lambda: not watch.down)


async def test_a_process_that_hangs_is_down_and_then_started_again(tmp_path: Path) -> None:
    async with _watched(tmp_path) as (process, watch):
        pid = await _answering(process, watch)
        await asyncio.to_thread((tmp_path / "hang").touch)
        await _until(lambda: watch.down)
        await asyncio.to_thread((tmp_path / "hang").unlink)
        await _until(lambda: not watch.down)  # it came back by itself: nothing is killed
        assert process.pid == pid
        await asyncio.to_thread((tmp_path / "hang").touch)
        await _until(lambda: process.pid not in (None, pid))


async def test_a_process_that_computes_is_late_and_not_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "HANGS_S", 60.0)
    async with _watched(tmp_path) as (process, watch):
        pid = await _answering(process, watch)
        await asyncio.to_thread((tmp_path / "hang").write_text, "compute")
        until = asyncio.get_running_loop().time() + 3 * liveness.DOWN_S
        while asyncio.get_running_loop().time() < until:
            assert not watch.down
            await asyncio.sleep(0.02)
        assert not await watch._answers()
        await asyncio.to_thread((tmp_path / "hang").write_text, "hang")  # now it does nothing
        await _until(lambda: watch.down)
        assert process.pid == pid
