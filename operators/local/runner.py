"""`quiver up DIR`: sees, decides, acts, until it is told to stop.

Every loop here only brings news into `_World` and rings the bell; one loop decides, over everything, and acts. It waits
for nobody: what is decided is published, and each neighbour has a task of its own that tells it.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from contract.gateway import GatewayState
from contract.ingest import DesiredKnowledgeBase, IngestStatus
from contract.objects import Objects
from contract.resource import Key, Status
from contract.snapshot import Snapshot
from operators.clients.drift import DriftClient
from operators.clients.errors import NeighbourError
from operators.clients.follow import Ask, follow
from operators.clients.gateway import GatewayClient
from operators.clients.ingest import IngestClient
from operators.clients.newest import Newest
from operators.clients.report import Report
from operators.local import commands, directory, files, logs, snapshots
from operators.local.directory import Contents
from operators.local.engines import Engines
from operators.local.layout import Layout, url
from operators.local.liveness import Liveness
from operators.local.process import Process, ProcessSpec
from operators.local.reconcile import Decided, Seen, decide
from operators.local.record import Record
from operators.local.sockets import Sockets

logger = logging.getLogger(__name__)

S = TypeVar("S")


# Between looks at a gateway while a version waits to be released, or a snapshot to be taken up.
GATEWAY_PERIOD_S = 0.1
# Without news everything is decided again after this long: a key may have expired, a neighbour fallen silent.
IDLE_PERIOD_S = 5.0
# Files are looked at this often even where no hint came: one that was missed must not be missed for ever.
FILES_PERIOD_S = 1.0
# What a file says counts once it has said it for this long, or has been looked at this often.
SETTLE_S = 0.05
MOST_LOOKS = 10
LOGS_PERIOD_S = 10.0


@dataclass
class _World:
    """The newest news of what there is one of."""

    contents: Contents
    statuses: Mapping[Key, Status]
    generation: int
    gateway: GatewayState | None = None


class Runner:
    """`on_snapshot` is told of every change that is published."""

    def __init__(
        self,
        layout: Layout,
        contents: Contents,
        record: Record,
        *,
        on_snapshot: Callable[[Snapshot], None] = lambda snapshot: None,
    ) -> None:
        self._layout = layout
        self._record = record
        self._world = _World(contents=contents, statuses=record.statuses(), generation=record.generation)
        self._on_snapshot = on_snapshot
        self._published: Snapshot | None = None
        self._services: dict[str, Liveness] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking = False
        self._bell = asyncio.Event()
        self._hint = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; every process is stopped before this returns. Raises OSError where a port is in use."""
        sockets = Sockets()
        try:
            async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as self._group:
                await self._run(session, sockets)
        finally:
            sockets.close()

    async def _run(self, session: aiohttp.ClientSession, sockets: Sockets) -> None:
        tokens, layout = self._layout.tokens, self._layout
        ingest = IngestClient(session, url(layout.ingest_port), tokens["runner-ingest"])
        drift = DriftClient(session, url(layout.drift_port), tokens["runner-drift"])
        self._ingest = Report[IngestStatus]()
        self._bases: Newest[tuple[DesiredKnowledgeBase, ...]] = Newest(ingest.desire)
        self._tenants: Newest[tuple[str, ...]] = Newest(drift.register)
        self._engines = Engines(layout, session, sockets, self._start, self._bell.set)
        for spec in commands.services(layout):
            self._start_service(spec, sockets)
        self._start(self._follow_files())
        self._start(files.watch(layout.root, self._watched, self._hint.set))
        self._start(self._follow(ingest.status, _revision, self._ingest, self._bases))
        self._start(self._bases.run())
        self._start(self._tenants.run())
        self._start(self._follow_gateway(GatewayClient(session, url(layout.internal_port), tokens["runner-gateway"])))
        self._start(self._trim_logs())
        await self._decide_for_ever()

    def _start_service(self, spec: ProcessSpec, sockets: Sockets) -> None:
        process = Process(spec, self._layout.logs, sockets.of(spec))
        self._services[spec.name] = Liveness(
            process, commands.address(self._layout, spec.name), "/healthz", self._bell.set
        )
        self._start(process.run())
        self._start(self._services[spec.name].watch())

    def kill(self) -> None:
        """While `run` stops: what has not stopped yet is killed."""
        for task in tuple(self._tasks):
            task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """One that fails ends the run."""
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Decide and act ------------------------------------------------------------------------------------------

    async def _decide_for_ever(self) -> None:
        while True:
            self._bell.clear()
            contents = self._world.contents
            await self._engines.run(contents.objects.base_models)
            decided = await asyncio.to_thread(decide, self._seen(contents))  # hundreds of ms for thousands of objects
            # A file that cannot be read may hold objects whose status must outlive it.
            before = self._world.statuses if contents.unread else {}
            self._world.statuses = {**before, **decided.statuses}
            self._asking = _asks_gateway(decided)
            await self._publish(decided, contents)
            self._tell(decided, contents)
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_PERIOD_S):
                    await self._bell.wait()

    @property
    def _objects(self) -> Objects:
        return self._world.contents.objects

    def _watched(self) -> frozenset[Path]:
        return files.artifacts(self._objects) | {self._layout.decisions}

    def _seen(self, contents: Contents) -> Seen:
        return Seen(
            objects=contents.objects,
            revisions=contents.revisions,
            statuses=self._world.statuses,
            replicas=self._engines.seen(),
            gateways=self._gateways(),
            ingest=self._ingest.current,
            now=datetime.now(UTC),
            documents=contents.documents,
            decisions=contents.decisions,
            credentials=contents.credentials,
            down=frozenset(name for name, service in self._services.items() if service.down),
            waits=self._engines.waits(),
        )

    def _gateways(self) -> tuple[GatewayState, ...]:
        """What a gateway said of an older snapshot says nothing of the versions that came with a newer one."""
        state = self._world.gateway
        return (state,) if state is not None and state.generation == self._world.generation else ()

    async def _publish(self, decided: Decided, contents: Contents) -> None:
        """To the record first: what a gateway or a person has seen is not lost."""
        problems = contents.problems
        if self._published and (self._published.objects, self._published.problems) == (decided.objects, problems):
            await self._restore()
            return
        generation = self._world.generation + 1
        snapshot = Snapshot(generation=generation, objects=decided.objects, problems=problems)
        try:
            await asyncio.to_thread(self._record.write, self._world.statuses, generation)
            await asyncio.to_thread(snapshots.write, self._layout.snapshot, snapshot)
        except (OSError, sqlite3.Error) as error:
            logger.error("%s cannot be written, gateways keep the last snapshot: %s", self._layout.state, error)
            return
        self._world.generation = generation
        self._published = snapshot
        self._on_snapshot(snapshot)

    async def _restore(self) -> None:
        """Somebody removed or damaged the file that gateways begin with."""
        if self._published is None or await asyncio.to_thread(snapshots.is_intact, self._layout.snapshot):
            return
        logger.error("%s was removed or damaged, and is written again", self._layout.snapshot)
        with suppress(OSError):
            await asyncio.to_thread(snapshots.write, self._layout.snapshot, self._published)

    def _tell(self, decided: Decided, contents: Contents) -> None:
        """What is not in a complete set is removed: none is complete while a file that held objects is unread."""
        self._engines.desire(decided.adapters)
        if not contents.unread:
            self._bases.tell(decided.knowledge_bases)
            self._tenants.tell(decided.tenants)

    # News ----------------------------------------------------------------------------------------------------

    async def _follow_files(self) -> None:
        trouble = ""
        while True:
            self._hint.clear()
            found = await self._read_files()
            if found and found != trouble:
                logger.error("%s cannot be read, its last objects stay in force: %s", self._layout.root, found)
            trouble = found
            with suppress(TimeoutError):
                async with asyncio.timeout(FILES_PERIOD_S):
                    await self._hint.wait()

    async def _read_files(self) -> str:
        """What went wrong, in words. Whatever it is, the next look may find it put right."""
        before = self._world.contents
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
        self._world.contents = contents
        self._bell.set()
        return ""

    async def _settled(self, before: Contents) -> Contents:
        """A file that is still being written says half of what it will, which may be objects too."""
        found = await asyncio.to_thread(directory.read, self._layout.root, before)
        texts = before.texts
        for _ in range(MOST_LOOKS):
            if found.texts == texts:
                break
            texts = found.texts
            await asyncio.sleep(SETTLE_S)
            found = await asyncio.to_thread(directory.read, self._layout.root, replace(before, texts=texts))
        return found

    async def _follow(self, ask: Ask[S], version: Callable[[S], int], report: Report[S], newest: Newest[Any]) -> None:
        await follow(ask, version, report=report, newest=newest, news=self._bell.set)

    async def _follow_gateway(self, client: GatewayClient) -> None:
        while True:
            await asyncio.sleep(GATEWAY_PERIOD_S)
            if not self._waits_for_gateway():
                continue
            try:
                state = await client.state()
            except NeighbourError:
                continue
            if state != self._world.gateway:
                self._world.gateway = state
                self._bell.set()

    def _waits_for_gateway(self) -> bool:
        """For a snapshot to be taken up, a version to be let go of, or a canary to prove itself."""
        return self._asking or not self._gateways()

    async def _trim_logs(self) -> None:
        while True:
            await asyncio.sleep(LOGS_PERIOD_S)
            try:
                await asyncio.to_thread(logs.trim, self._layout.logs)
            except OSError as error:
                logger.warning("%s cannot be trimmed: %s; free space there", error.filename, error.strerror)


def _asks_gateway(decided: Decided) -> bool:
    """Some version waits to be let go of, or is compared with another."""
    sets = decided.adapters.values()
    on_trial = any(adapter.status.canary for adapter in decided.objects.adapters)
    return on_trial or any(item.source is None and not item.required for desired in sets for item in desired.adapters)


def _revision(status: IngestStatus) -> int:
    return status.revision
