"""The engines of a local run, each with its agent: started, watched, replaced one after the other, drained."""

import asyncio
import logging
import os
import shutil
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from contract.base_model import BaseModel
from contract.conditions import Condition
from operators.clients.agent import AgentClient
from operators.clients.errors import PeerError
from operators.controllers.events import Events, base_key
from operators.controllers.peer import Peer
from operators.controllers.stored_object import StoredObject
from operators.desired.replica_report import ReplicaReport
from operators.local import commands, process_group
from operators.local.commands import Replica
from operators.local.layout import Layout, free_port, url
from operators.local.liveness import Liveness
from operators.local.process import Process, ProcessSpec
from operators.local.rolling import State, roll
from operators.local.sockets import Sockets

logger = logging.getLogger(__name__)

Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

# Between looks at the processes.
WATCH_S = 1.0
# Longer than any request.
DRAIN_S = 660.0
# A restarting agent is back within seconds.
AGENT_TRIES, AGENT_RETRY_S = 20, 1.0
# A second engine needs as much memory as the first, times this factor.
ROOM = 1.1


@dataclass
class _Running:
    """One engine with its agent, and their tasks."""

    base: str
    replica: Replica
    uid: str
    command: ProcessSpec
    engine: Process
    liveness: tuple[Liveness, Liveness]
    tasks: frozenset["asyncio.Task[None]"] = frozenset()
    serves: bool = False
    # The start time of the engine that was last restarted as spoiled.
    spoiled: float | None = None

    @property
    def peer(self) -> Peer:
        return Peer(
            name=self.replica.name,
            uid=self.uid,
            base=self.base,
            url=self.replica.engine_url,
            control_url=url(self.replica.agent_port),
            silent=any(item.down for item in self.liveness),
            trouble=self.engine.failure,
        )

    def take(self, report: ReplicaReport | None) -> None:
        """A briefly silent agent changes nothing."""
        if report is None:
            return
        self.serves = report.ready
        if report.ready:
            self.engine.failure = ""  # of an earlier life


class LocalEngines:
    """`start` runs a coroutine as a task."""

    def __init__(
        self, layout: Layout, session: aiohttp.ClientSession, sockets: Sockets, start: Start, events: Events
    ) -> None:
        self._layout = layout
        self._sockets = sockets
        self._session = session
        self._start = start
        self._events = events
        self._running: dict[str, _Running] = {}
        self._leaving: set[str] = set()
        self._wait_reasons: dict[str, str] = {}
        self._peers: dict[str, Peer] = {}
        self._lives = count(1)

    async def watch(self) -> None:
        """Until cancelled. Notices ended processes."""
        while True:
            self._report()
            await asyncio.sleep(WATCH_S)

    def refusal(self, base: BaseModel) -> Condition | None:
        return None

    async def run(self, stored: StoredObject[BaseModel], *, needed: bool) -> None:
        base, scaling = stored.item, stored.item.spec.autoscaling
        self._report()
        count = max(1, scaling.min_replicas) if scaling else base.spec.replicas
        await self._roll(base.name, base, count if needed else 0)
        for item in self._of(base.name).values():
            self._restart_spoiled(item)
        self._report()

    async def scale(self, stored: StoredObject[BaseModel], *, needed: bool) -> None:
        """Only stops: an earlier spec is not kept."""
        if not needed:
            await self.remove(stored.item.name)

    async def remove(self, name: str) -> None:
        await self._roll(name, None, 0)
        self._report()

    def waiting_reason(self, name: str) -> str:
        return self._wait_reasons.get(name, "")

    def selector(self, name: str) -> str:
        return ""

    def _report(self) -> None:
        """Turns every change of the running engines into an event."""
        for item in self._running.values():
            item.take(self._events.cache.report(item.peer))
        now = {item.uid: item.peer for item in self._running.values()}
        before, self._peers = self._peers, now
        for uid in before.keys() - now.keys():
            self._events.peer_changed(before[uid], None)
        for uid, peer in now.items():
            if before.get(uid) != peer:
                self._events.peer_changed(before.get(uid), peer)

    def _of(self, base: str) -> dict[str, _Running]:
        return {name: item for name, item in self._running.items() if item.base == base}

    # Replicas ------------------------------------------------------------------------------------------------

    async def _roll(self, name: str, base: BaseModel | None, count: int) -> None:
        mine = self._of(name)
        states = [
            State(key, base is not None and self._is_current(item, base), item.serves) for key, item in mine.items()
        ]
        todo = roll(states, count)
        for key in todo.stop:
            self._stop(key)
        self._wait_reasons.pop(name, None)
        if base is None:
            return
        for _ in range(todo.start):
            if not await self._has_room(base, mine.values()):
                return
            self._add(base)

    def _is_current(self, item: _Running, base: BaseModel) -> bool:
        return commands.engine(self._layout, base, item.replica) == item.command

    async def _has_room(self, base: BaseModel, beside: Iterable[_Running]) -> bool:
        """Starts another engine beside a serving one only if the memory suffices for both."""
        serving = [item.engine.pid for item in beside if item.serves and item.engine.pid]
        if not serving:
            return True
        largest = max([await asyncio.to_thread(process_group.memory, pid) for pid in serving])
        free = await asyncio.to_thread(process_group.memory_available)
        if largest * ROOM <= free:
            return True
        self._wait_reasons[base.name] = (
            f"the new spec waits: a second engine needs about {largest * ROOM / 2**30:.1f} GiB beside the first, "
            f"{free / 2**30:.1f} GiB are free; free memory, or restart `quiver up`"
        )
        return False

    def _add(self, base: BaseModel) -> None:
        taken = self._running.keys() | self._leaving
        name = next(name for name in _names(base.name) if name not in taken)
        replica = Replica(name, self._layout.runtime / f"{name}.sock", free_port())
        command = commands.engine(self._layout, base, replica)
        agent_command = commands.agent(self._layout, base, replica)
        agent = Process(agent_command, self._layout.logs, self._sockets.of(agent_command))
        engine = Process(command, self._layout.logs)
        liveness = (
            Liveness(engine, replica.engine_url, "/health", self._report),
            Liveness(agent, url(replica.agent_port), "/healthz", self._report),
        )
        item = _Running(base.name, replica, f"{name}-{next(self._lives)}", command, engine, liveness)
        self._running[name] = item
        work = (engine.run(), self._run_agent(agent, name, base.name), *(watch.watch() for watch in liveness))
        item.tasks = frozenset(map(self._start, work))

    async def _run_agent(self, agent: Process, name: str, base: str) -> None:
        await asyncio.to_thread(seed, self._layout.stores, name, base)
        await agent.run()

    def _restart_spoiled(self, item: _Running) -> None:
        """Once for each engine. Its agent loads everything but the culprit into the new one."""
        status = self._events.cache.report(item.peer)
        if status is None or status.spoiled_by is None or item.spoiled == status.started:
            return
        logger.error("BaseModel %s: %s spoiled its engine, which restarts without it", item.base, status.spoiled_by)
        item.spoiled = status.started
        item.engine.ended_because(f"restarted without {status.spoiled_by}, which spoiled it")
        self._start(item.engine.restart())

    def _stop(self, name: str) -> None:
        """Removed from the cache at once, and stopped after its last request."""
        item = self._running.pop(name)
        self._leaving.add(name)
        logger.info("engine %s is drained and stopped", name)
        self._start(self._drain(name, item))

    async def _drain(self, name: str, item: _Running) -> None:
        try:
            if item.serves:
                token = self._layout.tokens["runner-agent"]
                await _drained(AgentClient(self._session, url(item.replica.agent_port), token))
        finally:
            for task in item.tasks:
                task.cancel()
            await asyncio.wait(item.tasks)
            self._leaving.discard(name)
        self._events.enqueue([base_key(item.base)])


async def _drained(client: AgentClient) -> None:
    """Waits DRAIN_S at most. A restarting agent is asked again for a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            for _ in range(AGENT_TRIES):
                with suppress(PeerError):
                    await client.drained(DRAIN_S)
                    return
                await asyncio.sleep(AGENT_RETRY_S)


def _names(base: str) -> Iterable[str]:
    """Names of replicas. No base model has a dot in its name, so `base.1` is nobody else's."""
    yield base
    for number in range(1, 10_000):
        yield f"{base}.{number}"


def seed(stores: Path, name: str, base: str) -> None:
    """Gives a new replica every version of its siblings: a rollback's target may exist nowhere else. Uses hard links;
    each version is verified again before use."""
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
    """Copies atomically."""
    staged = target / "incoming" / f"seed-{version.name}"
    staged.parent.mkdir(exist_ok=True)
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(version, staged, copy_function=os.link)
    staged.rename(target / version.name)
