"""Processes end with us, whatever happens, and come back when they end without us."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from operators.local.process import Process, ProcessSpec

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
    await _until(lambda: process.restarts >= 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "test cannot be started: No such file or directory (/no/such/command)" in caplog.text


def test_a_process_ends_when_its_runner_is_killed(tmp_path: Path) -> None:
    code = f"""
import asyncio, os, sys
from pathlib import Path
from operators.local.process import Process, ProcessSpec
child = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
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
