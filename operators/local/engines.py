"""The engines of a local run, each with its agent: started, watched, replaced one after the other, drained."""

import asyncio
import logging
import os
import shutil
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from contract.agent import AgentStatus, DesiredSet
from contract.base_model import BaseModel
from operators.clients.agent import AgentClient
from operators.clients.errors import NeighbourError
from operators.clients.follow import follow
from operators.clients.newest import Newest
from operators.clients.report import Report
from operators.local import commands, process_group
from operators.local.commands import Replica
from operators.local.layout import Layout, free_port, url
from operators.local.liveness import Liveness
from operators.local.process import Process, ProcessSpec
from operators.local.reconcile import SeenReplica
from operators.local.rolling import State, roll
from operators.local.sockets import Sockets

logger = logging.getLogger(__name__)

Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

# Longer than any request.
DRAIN_S = 660.0
# A restarting agent is back within seconds.
AGENT_TRIES, AGENT_RETRY_S = 20, 1.0
# A second engine beside the first needs as much memory as that, and this share more.
ROOM = 1.1


@dataclass
class _Running:
    """One engine with its agent, and the tasks that keep them up."""

    base: str
    replica: Replica
    command: ProcessSpec
    engine: Process
    client: AgentClient
    report: Report[AgentStatus]
    desired: Newest[DesiredSet]
    liveness: tuple[Liveness, Liveness]
    tasks: frozenset["asyncio.Task[None]"] = frozenset()
    serves: bool = False
    # When the engine started that was last restarted for being spoiled.
    spoiled: float | None = None

    @property
    def status(self) -> AgentStatus | None:
        """None while its agent is silent, or one of the two does not answer."""
        return None if any(item.down for item in self.liveness) else self.report.current

    def hear(self) -> None:
        """An agent that is silent for a moment takes nothing away."""
        if status := self.report.current:
            self.serves = status.ready
        if self.status and self.status.ready:
            self.engine.failure = ""  # of an earlier life


class Engines:
    """`start` keeps a coroutine running, `news` is called when something has changed."""

    def __init__(
        self,
        layout: Layout,
        session: aiohttp.ClientSession,
        sockets: Sockets,
        start: Start,
        news: Callable[[], None],
    ) -> None:
        self._layout = layout
        self._sockets = sockets
        self._session = session
        self._start = start
        self._news = news
        self._running: dict[str, _Running] = {}
        self._leaving: set[str] = set()
        self._waits: dict[str, str] = {}

    async def run(self, bases: Sequence[BaseModel]) -> None:
        """Make what runs what is wanted, as far as that goes without taking away what answers."""
        for item in self._running.values():
            item.hear()
        for gone in {item.base for item in self._running.values()} - {base.name for base in bases}:
            await self._roll(gone, None, 0)
        for base in bases:
            scaling = base.spec.autoscaling
            await self._roll(base.name, base, scaling.min_replicas if scaling else base.spec.replicas)
        for item in self._running.values():
            self._restart_spoiled(item)

    def desire(self, sets: Mapping[str, DesiredSet]) -> None:
        """By replica."""
        for name, desired in sets.items():
            if name in self._running:
                self._running[name].desired.tell(desired)

    def seen(self) -> Mapping[str, tuple[SeenReplica, ...]]:
        """By base model."""
        found: dict[str, tuple[SeenReplica, ...]] = {}
        for name, item in sorted(self._running.items()):
            shown = SeenReplica(name, item.replica.engine_url, item.status, item.engine.failure)
            found[item.base] = (*found.get(item.base, ()), shown)
        return found

    def waits(self) -> Mapping[str, str]:
        """By base model: why its newest spec is not run yet."""
        return self._waits

    # Replicas ------------------------------------------------------------------------------------------------

    async def _roll(self, name: str, base: BaseModel | None, count: int) -> None:
        mine = {key: item for key, item in self._running.items() if item.base == name}
        states = [
            State(key, base is not None and self._is_current(item, base), item.serves) for key, item in mine.items()
        ]
        todo = roll(states, count)
        for key in todo.stop:
            self._stop(key)
        self._waits.pop(name, None)
        if base is None:
            return
        for _ in range(todo.start):
            if not await self._has_room(base, mine.values()):
                return
            self._add(base)

    def _is_current(self, item: _Running, base: BaseModel) -> bool:
        return commands.engine(self._layout, base, item.replica) == item.command

    async def _has_room(self, base: BaseModel, beside: Iterable[_Running]) -> bool:
        """Beside an engine that serves, one more is started only where it does not drive that one out of memory."""
        serving = [item.engine.pid for item in beside if item.serves and item.engine.pid]
        if not serving:
            return True
        largest = max([await asyncio.to_thread(process_group.memory, pid) for pid in serving])
        free = await asyncio.to_thread(process_group.memory_available)
        if largest * ROOM <= free:
            return True
        self._waits[base.name] = (
            f"the new spec waits: a second engine needs about {largest * ROOM / 2**30:.1f} GiB beside the first, "
            f"{free / 2**30:.1f} GiB are free; free memory, or stop quiver up and start it again"
        )
        return False

    def _add(self, base: BaseModel) -> None:
        taken = self._running.keys() | self._leaving
        name = next(name for name in _names(base.name) if name not in taken)
        replica = Replica(name, self._layout.runtime / f"{name}.sock", free_port())
        command = commands.engine(self._layout, base, replica)
        agent_command = commands.agent(self._layout, base, replica)
        agent = Process(agent_command, self._layout.logs, self._sockets.of(agent_command))
        client = AgentClient(self._session, url(replica.agent_port), self._layout.tokens["runner-agent"])
        engine = Process(command, self._layout.logs)
        liveness = (
            Liveness(engine, replica.engine_url, "/health", self._news),
            Liveness(agent, url(replica.agent_port), "/healthz", self._news),
        )
        item = _Running(base.name, replica, command, engine, client, Report(), Newest(client.desire), liveness)
        self._running[name] = item
        work = (
            engine.run(),
            self._run_agent(agent, name, base.name),
            follow(client.status, _version, report=item.report, newest=item.desired, news=self._news),
            item.desired.run(),
            *(watch.watch() for watch in liveness),
        )
        item.tasks = frozenset(map(self._start, work))

    async def _run_agent(self, agent: Process, name: str, base: str) -> None:
        await asyncio.to_thread(seed, self._layout.stores, name, base)
        await agent.run()

    def _restart_spoiled(self, item: _Running) -> None:
        """Once for each engine. Its agent remembers the culprit, and fills the new one without it."""
        status = item.report.current
        if status is None or status.spoiled_by is None or item.spoiled == status.started:
            return
        logger.error("BaseModel %s: %s spoiled its engine, which restarts without it", item.base, status.spoiled_by)
        item.spoiled = status.started
        item.engine.ended_because(f"restarted without {status.spoiled_by}, which spoiled it")
        self._start(item.engine.restart())

    def _stop(self, name: str) -> None:
        """It is out of sight at once, and ends when it has answered what it was asked."""
        item = self._running.pop(name)
        self._leaving.add(name)
        logger.info("engine %s is drained and stopped", name)
        self._start(self._drain(name, item))

    async def _drain(self, name: str, item: _Running) -> None:
        try:
            if item.serves:
                await _drained(item.client)
        finally:
            for task in item.tasks:
                task.cancel()
            await asyncio.wait(item.tasks)
            self._leaving.discard(name)
        self._news()


async def _drained(client: AgentClient) -> None:
    """An agent that restarts meanwhile is asked again for a while."""
    for _ in range(AGENT_TRIES):
        with suppress(NeighbourError):
            await client.drained(DRAIN_S)
            return
        await asyncio.sleep(AGENT_RETRY_S)


def _names(base: str) -> Iterable[str]:
    """No base model has a dot in its name."""
    yield base
    for number in range(1, 10_000):
        yield f"{base}.{number}"


def seed(stores: Path, name: str, base: str) -> None:
    """A new replica has every version that another one of its base model has: what a rollback returns to may be
    nowhere else. Links to the same files; each is verified again before it is used."""
    target = stores / name
    target.mkdir(parents=True, exist_ok=True)
    for store in stores.glob(f"{base}*"):
        if store.name == name or store.name.partition(".")[0] != base:
            continue
        for version in store.iterdir():
            if len(version.name) == 64 and not (target / version.name).exists():
                with suppress(OSError):  # it is removed at this moment, or cannot be linked: it is fetched instead
                    _copy(version, target)


def _copy(version: Path, target: Path) -> None:
    """Under its name only once it is whole."""
    staged = target / "incoming" / f"seed-{version.name}"
    staged.parent.mkdir(exist_ok=True)
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(version, staged, copy_function=os.link)
    staged.rename(target / version.name)


def _version(status: AgentStatus) -> int:
    return status.version
