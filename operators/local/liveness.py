"""Checks that a process answers, and restarts it when it hangs: callers of a hanging process hang too."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from operators.local import process_group
from operators.local.process import Process
from service.addresses import connector, root

logger = logging.getLogger(__name__)

PERIOD_S = 1.0
# The time for one answer. On a busy machine some answers are late, but not all of them.
ANSWER_S = 4.0
# A process silent for this long is reported as down, unless it computes: on a machine without a free core answers to
# callers go on while the answer to this question is late.
DOWN_S = 4.5
BUSY_CORES = 0.2
# A process stopped by a signal for this long is restarted: it stays stopped until it is continued.
STOPPED_S = 3.0
# A process silent for this long after its first answer counts as hanging.
HANGS_S = 60.0


@dataclass
class _Since:
    """On the monotonic clock: when it last answered, since when it has been stopped, and when it was last looked at.
    `cpu_s` is the time on CPUs that its group had used by then."""

    answered: float
    stopped: float | None = None
    looked: float = 0.0
    cpu_s: float = 0.0


class Liveness:
    """Asks one process again and again. It can count as down or hanging only after its first answer."""

    def __init__(self, process: Process, address: str | None, path: str, news: Callable[[], None]) -> None:
        """Without an address, only a stop by a signal is noticed."""
        self._process = process
        self._address = address
        self._path = path
        self._news = news
        self.down = False
        """True if it answered before and does not any more."""

    async def watch(self) -> None:
        """Runs until cancelled."""
        while True:
            pid = await self._started()
            if await self._answers_at_last(pid):
                self._set(down=False)
                await self._watch_one(pid)

    async def _started(self) -> int:
        while True:
            if (pid := self._process.pid) is not None:
                return pid
            await asyncio.sleep(PERIOD_S)

    async def _answers_at_last(self, pid: int) -> bool:
        """Waits for the first answer without a limit, since a large model takes minutes to start. Restarts a process
        that a signal stopped. Returns False if the process ended before."""
        since = _Since(answered=time.monotonic())
        while self._process.pid == pid:
            if await self._answers():
                return True
            await self._look_for_stop(pid, since)
            if _was_stopped(since, time.monotonic()):
                await self._end("was stopped by a signal as it started")
                return False
            await asyncio.sleep(PERIOD_S)
        return False

    async def _look_for_stop(self, pid: int, since: "_Since") -> bool:
        stopped = await asyncio.to_thread(process_group.is_stopped, pid)
        since.stopped = (since.stopped or time.monotonic()) if stopped else None
        return stopped

    async def _end(self, fault: str) -> None:
        logger.error("%s %s: it is restarted", self._process.spec.name, fault)
        self._process.ended_because(fault)
        await self._process.restart()

    async def _watch_one(self, pid: int) -> None:
        """Watches until the process ends, by itself or by a restart from here."""
        since = _Since(answered=time.monotonic())
        while self._process.pid == pid:
            await asyncio.sleep(PERIOD_S)
            stopped = await self._look_for_stop(pid, since)
            if not stopped and await self._answers():
                since.answered = time.monotonic()
            is_busy = await self._look_for_work(pid, since)
            self._set(down=stopped or (time.monotonic() - since.answered > DOWN_S and not is_busy))
            if fault := _fault(since, time.monotonic()):
                await self._end(fault)
                break
        self._set(down=True)

    async def _look_for_work(self, pid: int, since: _Since) -> bool:
        """True if it has computed since the last look."""
        cpu_s, now = await asyncio.to_thread(process_group.cpu_s, pid), time.monotonic()
        is_busy = cpu_s - since.cpu_s > BUSY_CORES * (now - since.looked)
        since.cpu_s, since.looked = cpu_s, now
        return is_busy

    async def _answers(self) -> bool:
        if self._address is None:
            return True
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        try:
            async with (
                aiohttp.ClientSession(connector=connector(self._address), timeout=timeout) as session,
                session.get(root(self._address) + self._path) as response,
            ):
                return response.status < 500
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _set(self, *, down: bool) -> None:
        if down != self.down:
            self.down = down
            self._news()


def _was_stopped(since: _Since, now: float) -> bool:
    return since.stopped is not None and now - since.stopped > STOPPED_S


def _fault(since: _Since, now: float) -> str:
    if _was_stopped(since, now):
        return "was stopped by a signal and not continued"
    if now - since.answered > HANGS_S:
        return f"has not answered for {HANGS_S:.0f} s"
    return ""
