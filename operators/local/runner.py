"""`quiver up DIR`: sees, decides, acts, until it is told to stop.

Every loop here only brings news into `_World` and rings the bell; one loop decides, over everything, and acts.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp

from operators.api.agent import AgentStatus
from operators.api.base_model import BaseModel
from operators.api.gateway import GatewayState
from operators.api.ingest import IngestStatus
from operators.api.resource import Key, Status
from operators.api.snapshot import Snapshot
from operators.clients.agent import AgentClient
from operators.clients.drift import DriftClient
from operators.clients.errors import NeighbourError
from operators.clients.gateway import GatewayClient
from operators.clients.ingest import IngestClient
from operators.local import commands, directory, files, snapshots
from operators.local.commands import Replica
from operators.local.directory import Contents
from operators.local.layout import Layout, free_port, url
from operators.local.process import Process, ProcessSpec
from operators.local.reconcile import Decided, Seen, decide

logger = logging.getLogger(__name__)

# After a neighbour did not answer.
RETRY_S = 0.3
# An agent that restarts is back within this; its engine answers meanwhile, and its last report stands.
AGENT_GRACE_S = 10.0
# Between looks at a gateway while a version waits to be released, or a snapshot to be taken up.
GATEWAY_PERIOD_S = 0.1
# Without news everything is decided again after this long: a key may have expired, a call may have been lost.
IDLE_PERIOD_S = 5.0


@dataclass
class _World:
    """The newest news of everything."""

    contents: Contents
    statuses: Mapping[Key, Status]
    generation: int
    agents: dict[str, AgentStatus | None] = field(default_factory=dict)
    gateway: GatewayState | None = None
    ingest: IngestStatus | None = None


@dataclass(frozen=True)
class _Engine:
    """One running engine with its agent, and the tasks that hold them up."""

    command: ProcessSpec
    replica: Replica
    client: AgentClient
    tasks: tuple["asyncio.Task[None]", ...]


class Runner:
    """`on_snapshot` is told of every change that is published."""

    def __init__(
        self, layout: Layout, contents: Contents, *, on_snapshot: Callable[[Snapshot], None] = lambda snapshot: None
    ) -> None:
        last = snapshots.read(layout.snapshot)
        self._layout = layout
        self._world = _World(
            contents=contents,
            statuses={item.key: item.status for item in last.objects.all},
            generation=last.generation,
        )
        self._on_snapshot = on_snapshot
        self._published: Snapshot | None = None
        self._engines: dict[str, _Engine] = {}
        self._pushed: dict[str, object] = {}
        self._leaving = False
        self._bell = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; every process is stopped before this returns."""
        async with _tasks() as start, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            self._session = session
            for spec in commands.services(self._layout):
                start(Process(spec, self._layout.logs).run())
            start(self._follow_files())
            start(self._follow_ingest(self._ingest))
            start(self._follow_gateway(self._gateway))
            try:
                await self._decide_for_ever()
            finally:
                await asyncio.gather(*(self._stop_engine(name) for name in tuple(self._engines)))

    # Clients are made here, where the session and the layout meet.

    @property
    def _ingest(self) -> IngestClient:
        return IngestClient(self._session, url(self._layout.ingest_port), self._layout.internal_token)

    @property
    def _gateway(self) -> GatewayClient:
        return GatewayClient(self._session, url(self._layout.internal_port), self._layout.internal_token)

    @property
    def _drift(self) -> DriftClient:
        return DriftClient(self._session, url(self._layout.drift_port), self._layout.internal_token)

    # Decide and act ------------------------------------------------------------------------------------------

    async def _decide_for_ever(self) -> None:
        while True:
            self._bell.clear()
            contents = self._world.contents
            await self._run_engines(contents)
            decided = decide(self._seen(contents))
            self._world.statuses = decided.statuses
            self._leaving = _leaving(decided)
            await self._publish(decided)
            await self._push(decided)
            await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        try:
            async with asyncio.timeout(IDLE_PERIOD_S):
                await self._bell.wait()
        except TimeoutError:
            self._pushed.clear()  # what a neighbour may have forgotten is said again

    def _seen(self, contents: Contents) -> Seen:
        world = self._world
        return Seen(
            objects=contents.objects,
            revisions=contents.revisions,
            statuses=world.statuses,
            agents=world.agents,
            engine_urls={name: url(engine.replica.engine_port) for name, engine in self._engines.items()},
            gateways=self._gateways(),
            ingest=world.ingest,
            now=datetime.now(UTC),
        )

    def _gateways(self) -> tuple[GatewayState, ...]:
        """What a gateway said of an older snapshot says nothing of the versions that came with a newer one."""
        state = self._world.gateway
        return (state,) if state is not None and state.generation == self._world.generation else ()

    async def _publish(self, decided: Decided) -> None:
        problems = self._world.contents.problems
        if self._published and (self._published.objects, self._published.problems) == (decided.objects, problems):
            return
        self._world.generation += 1
        snapshot = Snapshot(generation=self._world.generation, objects=decided.objects, problems=problems)
        try:
            await asyncio.to_thread(snapshots.write, self._layout.snapshot, snapshot)
        except OSError as error:
            logger.error("%s cannot be written, gateways keep the last one: %s", self._layout.snapshot, error.strerror)
            return
        self._published = snapshot
        self._on_snapshot(snapshot)

    async def _push(self, decided: Decided) -> None:
        for name, desired in decided.adapters.items():
            if self._pushed.get(name) != desired:
                await self._tell(name, desired, self._engines[name].client.desire(desired))
        bases, tenants = decided.knowledge_bases, decided.tenants
        if self._world.ingest is not None and self._pushed.get("ingest") != bases:
            await self._tell("ingest", bases, self._ingest.desire(bases))
        if self._pushed.get("drift") != tenants:
            await self._tell("drift", tenants, self._drift.register(tenants))

    async def _tell(self, name: str, value: object, call: Awaitable[None]) -> None:
        """What could not be said now is said in the next round."""
        try:
            await call
            self._pushed[name] = value
        except NeighbourError as error:
            self._pushed.pop(name, None)
            logger.debug("%s", error)

    # Engines -------------------------------------------------------------------------------------------------

    async def _run_engines(self, contents: Contents) -> None:
        wanted = {base.name: base for base in contents.objects.base_models}
        for name in self._engines.keys() - wanted.keys():
            await self._stop_engine(name)
        for name, base in wanted.items():
            await self._run_engine(name, base)

    async def _run_engine(self, name: str, base: BaseModel) -> None:
        """A change of the command line restarts the engine; nothing else does."""
        running = self._engines.get(name)
        replica = running.replica if running else Replica(free_port(), free_port())
        command = commands.engine(self._layout, base, replica)
        if running and running.command == command:
            return
        if running:
            logger.info("BaseModel %s changed: its engine restarts", name)
            await self._stop_engine(name)
        agent = commands.agent(self._layout, base, replica)
        client = AgentClient(self._session, url(replica.agent_port), self._layout.internal_token)
        work = (Process(command, self._layout.logs).run(), Process(agent, self._layout.logs).run(),
                self._follow_agent(name, client))  # fmt: skip
        self._world.agents[name] = None
        self._engines[name] = _Engine(command, replica, client, tuple(asyncio.create_task(item) for item in work))

    async def _stop_engine(self, name: str) -> None:
        engine = self._engines.pop(name)
        for task in engine.tasks:
            task.cancel()
        await asyncio.gather(*engine.tasks, return_exceptions=True)
        self._world.agents.pop(name, None)
        self._pushed.pop(name, None)

    # News ----------------------------------------------------------------------------------------------------

    async def _follow_files(self) -> None:
        async for _ in files.changes(self._layout.root, lambda: files.artifacts(self._world.contents.objects)):
            try:
                contents = await asyncio.to_thread(directory.read, self._layout.root, self._world.contents)
            except OSError as error:
                logger.error("%s cannot be read, its last objects stay in force: %s", self._layout.root, error.strerror)
                continue
            for problem in contents.problems:
                logger.warning("%s: %s", problem.file, problem.message)
            self._world.contents = contents
            self._bell.set()

    async def _follow_agent(self, name: str, client: AgentClient) -> None:
        seen, silent_s = -1, 0.0
        while True:
            try:
                status = await client.status(seen=seen)
            except NeighbourError:
                seen, silent_s = -1, silent_s + RETRY_S
                self._pushed.pop(name, None)
                if silent_s > AGENT_GRACE_S:
                    self._world.agents[name] = None
                await asyncio.sleep(RETRY_S)
                continue
            seen, silent_s, self._world.agents[name] = status.version, 0.0, status
            self._bell.set()

    async def _follow_ingest(self, client: IngestClient) -> None:
        seen = -1
        while True:
            try:
                status = await client.status(seen=seen)
            except NeighbourError:
                seen = -1
                self._pushed.pop("ingest", None)
                await asyncio.sleep(RETRY_S)
                continue
            seen, self._world.ingest = status.revision, status
            self._bell.set()

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
        """For a snapshot to be taken up, or for a version that nobody wants to be let go of."""
        return self._leaving or not self._gateways()


def _leaving(decided: Decided) -> bool:
    sets = decided.adapters.values()
    return any(item.source is None and not item.required for desired in sets for item in desired.adapters)


@asynccontextmanager
async def _tasks() -> AsyncIterator[Callable[..., None]]:
    """Tasks that are cancelled and waited for at the end; one that fails ends the run."""
    async with asyncio.TaskGroup() as group:
        started: list[asyncio.Task[None]] = []
        yield lambda work: started.append(group.create_task(work))
        for task in started:
            task.cancel()
