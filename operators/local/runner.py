"""`quiver up DIR`: the controllers of a cluster, with a directory for an API server and processes for pods."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from contract.resource import Key
from contract.snapshot import Snapshot
from kube.queue import Queue
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.controllers.controller import reconciler
from operators.controllers.events import Events
from operators.controllers.peer import Peer
from operators.controllers.peer_watcher import Addresses, PeerWatcher
from operators.local import commands, directory, files, logs
from operators.local.directory import Contents
from operators.local.engines import LocalEngines
from operators.local.jobs import LocalJobs
from operators.local.layout import Layout, url
from operators.local.liveness import Liveness
from operators.local.process import Process, ProcessSpec
from operators.local.publisher import Publisher
from operators.local.record import Record
from operators.local.sockets import Sockets
from operators.local.store import DirectoryStore

logger = logging.getLogger(__name__)

# Files are checked this often without a hint: a missed hint must not hide a change forever.
FILES_PERIOD_S = 1.0
# A file counts after it is unchanged for this long, or after this many looks.
SETTLE_S = 0.03
MOST_LOOKS = 10
LOGS_PERIOD_S = 10.0


class Runner:
    """`on_snapshot` is called with every published snapshot."""

    def __init__(
        self,
        layout: Layout,
        contents: Contents,
        record: Record,
        *,
        on_snapshot: Callable[[Snapshot], None] = lambda snapshot: None,
    ) -> None:
        self._layout = layout
        self._queue: Queue[Key] = Queue()
        self._cache = ClusterCache()
        self._events = Events(self._cache, self._queue.add, self._queue.add_later)
        self._store = DirectoryStore(layout.root, self._events, record.statuses())
        self._publisher = Publisher(layout, record, self._store, self._cache, on_snapshot)
        self._services: dict[str, Liveness] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._hint = asyncio.Event()
        self._store.update(contents)

    async def run(self) -> None:
        """Runs until cancelled, and stops every process before it returns. Raises OSError if a port is in use."""
        sockets = Sockets()
        try:
            async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
                self._start_all(session, group, sockets)
        finally:
            sockets.close()

    def _start_all(self, session: aiohttp.ClientSession, group: asyncio.TaskGroup, sockets: Sockets) -> None:
        def start(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
            """A failed task ends the run."""
            task = group.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return task

        for spec in commands.services(self._layout):
            self._start_service(spec, sockets, start)
        self._events.peer_changed(None, _gateway(self._layout))
        peers = PeerWatcher(session, group, _addresses(self._layout), self._events)
        engines = LocalEngines(self._layout, session, sockets, start, self._events)
        jobs = LocalJobs(self._layout, start, self._events)
        around = Context(self._cache, self._events, self._store, engines, jobs, peers)
        self._events.enqueue_everything()
        start(self._follow_files())
        start(files.watch(self._layout.root, self._watched, self._hint.set))
        start(peers.run())
        start(engines.watch())
        start(self._queue.run(reconciler(around)))
        start(self._sweep(jobs))
        start(self._publisher.run())
        start(self._trim_logs())

    async def _sweep(self, jobs: LocalJobs) -> None:
        """Removes examples and checkpoints of objects that were deleted while `quiver up` was not running."""
        if self._store.is_complete:
            tenants = [item.name for item in self._store.contents.objects.tenants]
            await jobs.sweep([item.key for item in self._store.contents.objects.all], tenants)

    def _start_service(
        self, spec: ProcessSpec, sockets: Sockets, start: Callable[[Coroutine[Any, Any, None]], Any]
    ) -> None:
        process = Process(spec, self._layout.logs, sockets.of(spec))
        address = commands.address(self._layout, spec.name)
        self._services[spec.name] = Liveness(process, address, "/healthz", self._on_liveness)
        start(process.run())
        start(self._services[spec.name].watch())

    def _on_liveness(self) -> None:
        self._events.services_changed(name for name, service in self._services.items() if service.down)

    def kill(self) -> None:
        """Kills the remaining processes while `run` stops."""
        for task in tuple(self._tasks):
            task.cancel()

    def _watched(self) -> frozenset[Path]:
        return files.artifacts(self._store.contents.objects) | {self._layout.decisions}

    # Files ---------------------------------------------------------------------------------------------------

    async def _follow_files(self) -> None:
        trouble = ""
        while True:
            self._hint.clear()
            fault = await self._read_files()
            if fault and fault != trouble:
                logger.error("%s cannot be read, its last objects stay in force: %s", self._layout.root, fault)
            trouble = fault
            with suppress(TimeoutError):
                async with asyncio.timeout(FILES_PERIOD_S):
                    await self._hint.wait()

    async def _read_files(self) -> str:
        """Returns the fault in words, "" without one. The next try may succeed."""
        before = self._store.contents
        try:
            contents = await self._settled(before)
        except OSError as error:
            return error.strerror or type(error).__name__
        except Exception as error:
            logger.debug("%s", error, exc_info=True)
            return f"{type(error).__name__}: {error}"
        if contents == before:
            return ""
        for problem in contents.problems:
            if problem not in before.problems:
                logger.warning("%s: %s", problem.file, problem.message)
        self._store.update(contents)
        return ""

    async def _settled(self, before: Contents) -> Contents:
        """Reads the files until they stop changing: a half-written file may hold valid objects too."""
        contents = await asyncio.to_thread(directory.read, self._layout.root, before)
        texts = before.texts
        for _ in range(MOST_LOOKS):
            if contents.texts == texts:
                break
            texts = contents.texts
            await asyncio.sleep(SETTLE_S)
            contents = await asyncio.to_thread(directory.read, self._layout.root, replace(before, texts=texts))
        return contents

    async def _trim_logs(self) -> None:
        while True:
            await asyncio.sleep(LOGS_PERIOD_S)
            try:
                await asyncio.to_thread(logs.trim, self._layout.logs)
            except OSError as error:
                logger.warning("%s cannot be trimmed: %s; free space there", error.filename, error.strerror)


def _gateway(layout: Layout) -> Peer:
    return Peer(name="gateway", uid="gateway", base="", control_url=url(layout.internal_port), ready=True)


def _addresses(layout: Layout) -> Addresses:
    tokens = layout.tokens
    return Addresses(
        agent_token=tokens["runner-agent"],
        gateway_token=tokens["runner-gateway"],
        ingest_url=url(layout.ingest_port),
        ingest_token=tokens["runner-ingest"],
        drift_url=url(layout.drift_port),
        drift_token=tokens["runner-drift"],
    )
