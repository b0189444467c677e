"""Whether a process answers, and its end where it does not: a process that hangs holds up everybody who asks it."""

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
# Of one question. A machine under load answers late; what is late in one question is not in every one.
ANSWER_S = 4.0
# Silent for so long, a process is said to be down.
DOWN_S = 4.5
# A process that was stopped by a signal answers nobody until somebody continues it.
STOPPED_S = 3.0
# One that runs and gives no answer for so long, after it gave one, hangs.
HANGS_S = 60.0


@dataclass
class _Since:
    """On the monotonic clock: when it last answered, and since when it has been stopped."""

    answered: float
    stopped: float | None = None


class Liveness:
    """Asks one process again and again once it has answered for the first time."""

    def __init__(self, process: Process, address: str | None, path: str, news: Callable[[], None]) -> None:
        """Without an address it is only looked at whether the process was stopped."""
        self._process = process
        self._address = address
        self._path = path
        self._news = news
        self.down = False
        """It answered once, and does not any more."""

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            pid = await self._answering()
            await self._watch_one(pid)

    async def _answering(self) -> int:
        """Waits for a process that answers."""
        while True:
            pid = self._process.pid
            if pid is not None and await self._answers():
                self._set(down=False)
                return pid
            await asyncio.sleep(PERIOD_S)

    async def _watch_one(self, pid: int) -> None:
        """Until it ends, by itself or by us."""
        since = _Since(answered=time.monotonic())
        while self._process.pid == pid:
            await asyncio.sleep(PERIOD_S)
            stopped = await asyncio.to_thread(process_group.is_stopped, pid)
            since.stopped = (since.stopped or time.monotonic()) if stopped else None
            if not stopped and await self._answers():
                since.answered = time.monotonic()
            self._set(down=stopped or time.monotonic() - since.answered > DOWN_S)
            if fault := _fault(since, time.monotonic()):
                logger.error("%s %s: it is restarted", self._process.spec.name, fault)
                await self._process.restart()
                break
        self._set(down=True)

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


def _fault(since: _Since, now: float) -> str:
    if since.stopped is not None and now - since.stopped > STOPPED_S:
        return "was stopped by a signal and not continued"
    if now - since.answered > HANGS_S:
        return f"has not answered for {HANGS_S:.0f} s"
    return ""
