"""Processes tied to this one's life, and restarted when they end by themselves."""

import asyncio
import ctypes
import logging
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from operators.local import process_group
from operators.local.logs import last_line, tail
from operators.reconcile.engine_failure import cause
from service.backoff import Backoff

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

STOP_GRACE_S = 10.0
RESTARTS = Backoff(first_s=0.5, last_s=10.0)
# After a run this long the delay starts again with the shortest one.
WELL_S = 60.0


@dataclass(frozen=True)
class ProcessSpec:
    """A process to run. `environment` replaces ours.

    `orphaned` is the signal it gets when this process dies: SIGKILL cannot be ignored; after SIGTERM it can stop its
    children. `nice` lowers its priority when cores are short. `listens` are ports to pass as open sockets, by the
    environment variable for the descriptor. `removes` are files of an earlier run that block the next start.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    orphaned: signal.Signals = signal.SIGKILL
    nice: int = 0
    listens: Mapping[str, int] = field(default_factory=dict)
    removes: tuple[Path, ...] = ()


def _follow_parent(parent: int, orphaned: int) -> None:
    """Runs in the child before it becomes the command: the kernel will signal it when its parent dies (Linux)."""
    _libc.prctl(_PR_SET_PDEATHSIG, orphaned)
    if os.getppid() != parent:  # the parent died before the call above
        os._exit(1)


def lower_priority(pid: int, nice: int) -> None:
    """Lowers a process's priority, and its session's: Linux shares cores among sessions first (sched(7), autogroup)."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, nice)
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))


class Process:
    """One command in its own process group, with its output in a file, restarted when it ends.

    Its leftover children are killed with it: an engine's worker outlives its server otherwise.
    """

    def __init__(self, spec: ProcessSpec, logs: Path, descriptors: Mapping[str, int] | None = None) -> None:
        """`descriptors` are passed to the command, by the environment variable that names each."""
        self.spec = spec
        self._descriptors = descriptors or {}
        self.log = logs / f"{spec.name}.log"
        self.restarts = 0
        self._why = ""
        self.failure = ""
        """How it last ended, and why."""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    def ended_because(self, why: str) -> None:
        """Sets the reason to report in place of the signal that ends the process."""
        self._why = why

    async def restart(self) -> None:
        """Kills the running process; `run` starts it again."""
        if self.pid is not None:
            await asyncio.to_thread(process_group.kill, self.pid)

    async def run(self) -> None:
        """Runs until cancelled; then the whole group is stopped."""
        failures = 0
        try:
            while True:
                begun, written = time.monotonic(), await asyncio.to_thread(size, self.log)
                ending = await self._run_once()
                failures = 1 if time.monotonic() - begun > WELL_S else failures + 1
                delay = RESTARTS.delay(failures)
                self.restarts += 1
                why = await asyncio.to_thread(_why, self.log, written)
                self.failure, self._why = self._why or (f"{ending}: {why}" if why else ending), ""
                logger.warning("%s %s; again in %.1f s", self.spec.name, self.failure, delay)
                await asyncio.sleep(delay)
        finally:
            await self._stop()

    async def run_to_end(self) -> int | None:
        """Runs it once, and returns its exit status, None if it did not start. `failure` says how it ended otherwise
        than with status 0. A cancellation stops the whole group."""
        try:
            ending = await self._run_once()
            status = self._process.returncode if self._process else None
            self.failure = "" if status == 0 else ending
            return status
        finally:
            await self._stop()

    async def _run_once(self) -> str:
        """How it ended, in words."""
        try:
            log = self.log.open("ab")
        except OSError as error:
            return f"cannot be started: its log {self.log} cannot be opened: {error.strerror}"
        try:
            with log:
                for left in self.spec.removes:
                    await asyncio.to_thread(left.unlink, missing_ok=True)
                self._process = await self._start(log)
                await asyncio.to_thread(lower_priority, self._process.pid, self.spec.nice)
        except OSError as error:
            return f"cannot be started: {error.strerror} ({self.spec.arguments[0]})"
        code = await self._process.wait()
        await asyncio.to_thread(process_group.kill, self._process.pid)
        return f"ended with status {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"

    async def _start(self, log: BinaryIO) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.spec.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**self.spec.environment, **{name: str(number) for name, number in self._descriptors.items()}},
            pass_fds=tuple(self._descriptors.values()),
            start_new_session=True,
            preexec_fn=partial(_follow_parent, os.getpid(), self.spec.orphaned),  # two calls, loaded before the fork
        )

    async def _stop(self) -> None:
        """Sends SIGTERM, waits, and kills the group. A cancellation ends the wait."""
        process = self._process
        if process is None:
            return
        try:
            await self._ask_to_stop(process)
        finally:
            await asyncio.to_thread(process_group.kill, process.pid)  # runs to its end even when cancelled
        await process.wait()

    async def _ask_to_stop(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_GRACE_S):
                await process.wait()


def size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _why(log: Path, start: int) -> str:
    """The failure in the log from byte `start` on, or else the log's last line."""
    return cause(tail(log, start)) or last_line(log)
