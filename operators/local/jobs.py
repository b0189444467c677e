"""Jobs of a local run: processes, one after the other, beside the engines."""

import asyncio
import logging
import shutil
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract import job as jobs
from contract.api_key import Scope
from contract.conditions import Condition
from contract.resource import Key
from operators.controllers.events import Events
from operators.desired.job import folder_prefix
from operators.desired.jobs import AnyJob
from operators.evaluation.token import asking_token
from operators.local import commands
from operators.local.layout import Layout
from operators.local.logs import tail
from operators.local.process import RESTARTS, Process, ProcessSpec, size
from operators.reconcile.job_report import JobReport, State

logger = logging.getLogger(__name__)

Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

MOST_TRIES = 3  # of a job that a signal or the machine ends


@dataclass
class _Running:
    """A job, and where its output begins in its log."""

    job: AnyJob
    state: State = "Waiting"
    message: str = "another job runs on this machine"
    log: Path | None = None
    begins: int = 0
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def lines(self) -> tuple[jobs.Line, ...]:
        return tuple(jobs.lines(tail(self.log, self.begins))) if self.log else ()


class LocalJobs:
    """`start` runs a coroutine as a task. One job runs at a time: a training takes every core."""

    def __init__(self, layout: Layout, start: Start, events: Events) -> None:
        self._layout = layout
        self._start = start
        self._events = events
        self._running: dict[Key, _Running] = {}
        self._turn = asyncio.Lock()

    def refusal(self, *, asks: bool) -> Condition | None:
        return None

    def token(self, tenant: str, name: str, scopes: Collection[Scope]) -> str:
        return asking_token(self._layout.tokens["management-gateway"], tenant, name, scopes)

    async def run(self, job: AnyJob) -> JobReport:
        current = self._running.get(job.key)
        if current and (current.job.run != job.run or (current.state == "Failed" and not _is_same(current.job, job))):
            await self.stop(job.key)
        if job.key not in self._running:
            running = self._running[job.key] = _Running(job)
            running.task = self._start(self._work(running))
        return await asyncio.to_thread(self._report, self._running[job.key])

    async def stop(self, key: Key) -> None:
        running = self._running.pop(key, None)
        if running and running.task:
            running.task.cancel()
            await asyncio.wait({running.task})

    async def remove(self, key: Key, tenant: str) -> bool:
        await self.stop(key)
        await asyncio.to_thread(self._clear, tenant, folder_prefix(key))
        return True

    async def forget(self, tenant: str) -> bool:
        for key in [key for key, running in self._running.items() if running.job.tenant == tenant]:
            await self.stop(key)
        await asyncio.to_thread(shutil.rmtree, self._layout.jobs / tenant, ignore_errors=True)
        return True

    def _clear(self, tenant: str, prefix: str) -> None:
        """Removes the folders of an object's jobs."""
        for folder in (self._layout.jobs / tenant / "runs").glob(f"{prefix}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _report(self, running: _Running) -> JobReport:
        if running.state != "Done":
            return JobReport(running.state, running.lines, message=running.message)
        (result,) = (line["result"] for line in running.lines if "result" in line)
        return JobReport("Done", running.lines, result=result, place=str(self._layout.jobs))

    # One job -------------------------------------------------------------------------------------------------

    async def _work(self, running: _Running) -> None:
        async with self._turn:
            for attempt in range(1, MOST_TRIES + 1):
                status = await self._safely_tried(running)
                if status == 0 or status == jobs.REFUSED or attempt == MOST_TRIES:
                    break
                await asyncio.sleep(RESTARTS.delay(attempt))
            running.state = "Done" if status == 0 else "Failed"
        self._events.enqueue([running.job.key])

    async def _safely_tried(self, running: _Running) -> int | None:
        """A fault of the disk is the job's, and ends nothing else."""
        try:
            return await self._tried(running)
        except OSError as error:
            running.message = f"{error.filename or self._layout.jobs} cannot be written: {error.strerror}"
            return None

    async def _tried(self, running: _Running) -> int | None:
        """The exit status of the first step that fails, or of the last."""
        status: int | None = None
        for spec in await asyncio.to_thread(self._steps, running.job):
            process = Process(spec, self._layout.logs)
            running.begins = await asyncio.to_thread(size, process.log)
            running.log, running.state, running.message = process.log, "Running", ""
            status = await process.run_to_end()
            if status != 0:
                running.message = await asyncio.to_thread(_why, running, process)
                logger.warning("%s: %s", running.job.key, running.message)
                return status
        return status

    def _steps(self, job: AnyJob) -> Sequence[ProcessSpec]:
        """Nothing is fetched for a job that has ended: only its result is read."""
        folder = self._layout.jobs / job.folder
        folder.mkdir(parents=True, exist_ok=True)
        fetch = () if (folder / jobs.RESULT).is_file() else (commands.fetch(self._layout, job),)
        return (*fetch, commands.work(self._layout, job))

    async def sweep(self, existing: Collection[Key], tenants: Collection[str]) -> None:
        await asyncio.to_thread(self._sweep, {folder_prefix(key) for key in existing}, tenants)

    def _sweep(self, prefixes: Collection[str], tenants: Collection[str]) -> None:
        """Of tenants that are there: the files of one that seems to be gone may be a mount that comes later."""
        for tenant in tenants:
            for folder in (self._layout.jobs / tenant / "runs").glob("*"):
                if not folder.name.startswith(tuple(prefixes)):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_same(one: AnyJob, other: AnyJob) -> bool:
    """But for a token, which is another one each time."""
    return repr(one) == repr(other) and one.credentials == other.credentials


def _why(running: _Running, process: Process) -> str:
    error = next((line["error"] for line in reversed(running.lines) if "error" in line), process.failure)
    return str(error)
