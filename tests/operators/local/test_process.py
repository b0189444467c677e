"""Processes end with us, whatever happens, and come back when they end without us."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from operators.local.logs import trim
from operators.local.process import STOP_GRACE_S, Process, ProcessSpec

# A parent with a child of its own, as an engine with its worker; both ignore being asked to stop where told to.
FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def _spec(code: str) -> ProcessSpec:
    return ProcessSpec("test", (sys.executable, "-c", code), dict(os.environ))


async def _until(condition: Callable[[], object], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in another process
            await asyncio.sleep(0.02)


async def test_a_process_that_ends_comes_back(tmp_path: Path) -> None:
    process = Process(_spec("print('once', flush=True)"), tmp_path)
    task = asyncio.create_task(process.run())
    await _until(lambda: process.restarts >= 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (tmp_path / "test.log").read_text().count("once") >= 2


async def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    process = Process(_spec(FAMILY), tmp_path)
    task = asyncio.create_task(process.run())
    await _until(lambda: process.log.exists() and process.log.read_text().strip())
    child = int(process.log.read_text())
    parent = process.pid
    assert parent
    assert psutil.pid_exists(child)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _until(lambda: not _runs(child) and not _runs(parent))


async def test_a_killed_process_leaves_no_child_behind_before_it_comes_back(tmp_path: Path) -> None:
    process = Process(_spec(FAMILY), tmp_path)
    task = asyncio.create_task(process.run())
    await _until(lambda: process.log.exists() and process.log.read_text().strip())
    child = int(process.log.read_text())
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    await _until(lambda: process.restarts == 1 and not _runs(child))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_command_that_does_not_exist_is_tried_again_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process = Process(ProcessSpec("test", ("/no/such/command",), {}), tmp_path)
    task = asyncio.create_task(process.run())
    words = "test cannot be started: No such file or directory (/no/such/command)"
    await _until(lambda: caplog.text.count(words) >= 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_one_that_will_not_stop_is_killed_at_once_when_asked_twice(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    process = Process(_spec(deaf + FAMILY), tmp_path)
    task = asyncio.create_task(process.run())
    await _until(lambda: process.log.exists() and process.log.read_text().strip())
    child, parent = int(process.log.read_text()), process.pid
    assert parent
    task.cancel()
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _until(lambda: not _runs(child) and not _runs(parent))
    assert time.monotonic() - begun < STOP_GRACE_S / 2


async def test_a_log_that_cannot_be_opened_is_what_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    task = asyncio.create_task(Process(_spec("pass"), tmp_path / "missing").run())
    await _until(lambda: "test cannot be started: its log" in caplog.text)
    assert "test.log cannot be opened: No such file or directory" in caplog.text
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_full_log_is_moved_aside_and_its_process_goes_on_writing(tmp_path: Path) -> None:
    log = tmp_path / "test.log"
    with log.open("ab") as writer:
        writer.write(b"old" * 100)
        writer.flush()
        trim(tmp_path, most_bytes=200)
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "test.log.1").read_bytes() == b"old" * 100
    trim(tmp_path, most_bytes=200)
    assert log.read_bytes() == b"new"


@pytest.mark.parametrize("ignores", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN); "])
def test_a_process_ends_when_its_runner_is_killed(tmp_path: Path, ignores: str) -> None:
    code = f"""
import asyncio, os, sys
from pathlib import Path
from operators.local.process import Process, ProcessSpec
child = "import os, signal, time; {ignores}print(os.getpid(), flush=True); time.sleep(600)"
spec = ProcessSpec("orphan", (sys.executable, "-c", child), dict(os.environ))
asyncio.run(Process(spec, Path({str(tmp_path)!r})).run())
"""
    with subprocess.Popen([sys.executable, "-c", code]) as runner:
        log = tmp_path / "orphan.log"
        asyncio.run(_until(lambda: log.exists() and log.read_text().strip()))
        orphan = int(log.read_text())
        assert _runs(orphan)
        runner.kill()
    asyncio.run(_until(lambda: not _runs(orphan)))


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_one_that_steps_back_does_so_within_its_session_and_among_sessions(tmp_path: Path) -> None:
    process = Process(ProcessSpec("test", (sys.executable, "-c", FAMILY), {}, nice=7), tmp_path)
    task = asyncio.create_task(process.run())
    await _until(lambda: process.pid is not None and os.getpriority(os.PRIO_PROCESS, process.pid) == 7)
    sessions = Path(f"/proc/{process.pid}/autogroup")
    if sessions.exists():
        await _until(lambda: sessions.read_text().endswith(" nice 7\n"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
