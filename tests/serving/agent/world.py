"""An agent on an engine that can be made to have faults."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks.hostile import config, write
from contract.agent import AgentStatus, DesiredAdapter, DesiredSet, Fingerprint
from serving.agent.artifacts import Artifacts, Fetch, to_its_end
from serving.agent.converge import Convergence
from serving.agent.culprits import Culprits
from serving.agent.engine_memory import EngineMemory
from serving.agent.errors import EngineDownError, RefusedError, UnavailableError
from serving.agent.metrics import Metrics
from serving.agent.store import Store
from tests.serving.agent.artifacts import pending_rules

BASE = "base"


def fingerprint(value: float) -> Fingerprint:
    return Fingerprint(engine="1", prompts=((("a", -value),),))


class FaultyEngine:
    """Keeps names as vLLM does. `broken` names fail at load or probe; `weights` are what a name answers with."""

    base_model = BASE

    def __init__(self) -> None:
        self.start: float | None = 1.0
        self.names: set[str] = set()
        self.paths: list[str] = []
        self.calls: list[str] = []
        self.unloadable: set[str] = set()
        self.silent: set[str] = set()
        self.weights: dict[str, float] = {}
        self.dies_after = 10**9
        self.kills = ""  # what the names begin with that it dies of
        self._starts = 1.0

    def _call(self, words: str) -> None:
        self.calls.append(words)
        self.dies_after -= 1
        if self.dies_after < 0 or self.start is None:
            self.start, self.names = None, set()
            raise EngineDownError("EngineDown", "the engine does not answer")

    def restart(self) -> None:
        self._starts += 1
        self.start, self.names, self.dies_after = self._starts, set(), 10**9

    async def started(self) -> float | None:
        return self.start

    async def loaded(self) -> frozenset[str]:
        self._call("list")
        return frozenset(self.names)

    async def load(self, name: str, path: str) -> None:
        self._call(f"load {name}")
        if self.kills and name.startswith(self.kills):
            self.dies_after = 0
            self._call(f"die of {name}")
        if name.split(".")[1] in self.unloadable:
            raise UnavailableError("LoadFailed", f"the engine did not load {name}: rank 512")
        self.names.add(name)
        self.paths.append(path)

    async def unload(self, name: str) -> None:
        self._call(f"unload {name}")
        self.names.discard(name)

    async def fingerprint(self, name: str) -> Fingerprint:
        self._call(f"probe {name}")
        if name != BASE and (name not in self.names or name.split(".")[1] in self.silent):
            raise UnavailableError("ProbeFailed", f"{name} gave no answer")
        return fingerprint(self.weights.get(name, 0.0 if name == BASE else 1.0))


class Directory(Fetch):
    """A source is a number, and the artifact one of that scale; `bad` is refused."""

    async def fetch(self, source: str, into: Path, credentials: Mapping[str, str]) -> None:
        if source == "bad":
            raise RefusedError("Pickle", "the weights are a pickle")
        await to_its_end(partial(write, into, settings=config(lora_alpha=int(source))))


class World:
    agent: Convergence
    artifacts: Artifacts | None = None

    def __init__(self, root: Path) -> None:
        self.engine = FaultyEngine()
        self.root = root
        self.wanted: dict[str, DesiredAdapter] = {}

    async def start_agent(self) -> None:
        if self.artifacts:
            await self.artifacts.stop()
        metrics = Metrics()
        store = await asyncio.to_thread(Store, self.root)
        rules, culprits = pending_rules(), await asyncio.to_thread(Culprits, self.root)
        self.artifacts = Artifacts(Directory(), store, rules, metrics, grace_s=0.0)
        memory = EngineMemory(self.root)
        self.agent = Convergence(self.engine, self.artifacts, rules, culprits, memory, metrics)  # type: ignore[arg-type]  # the same calls

    async def happen(self, event: str) -> None:
        engine = self.engine
        match event.split():
            case ["restart"]:
                engine.restart()
            case ["die"]:
                engine.dies_after = 2
            case ["lose"]:
                engine.names = set(sorted(engine.names)[1:])
            case ["agent"]:
                await self.start_agent()
            case ["want", name]:
                self.wanted[name] = candidate_of(name, str(len(self.wanted) + 1))
            case ["drop", name]:
                self.wanted.pop(name, None)
            case ["break"]:
                engine.unloadable, engine.silent = {"a"}, {"b"}

    async def mend(self) -> None:
        self.engine.unloadable, self.engine.silent = set(), set()
        if self.engine.start is None or self.engine.dies_after < 100:
            self.engine.restart()
        await self.settle()
        self.retry_now()

    async def arrivals(self) -> None:
        assert self.artifacts
        await asyncio.gather(*self.artifacts._tasks.values(), return_exceptions=True)

    async def settle(self, passes: int = 3) -> AgentStatus:
        for _ in range(passes):
            await self.agent._pass()
            await self.arrivals()
        await self.agent._pass()
        assert self.agent.status.value is not None
        return self.agent.status.value

    def retry_now(self) -> None:
        versions = self.agent._versions
        versions._failures = {name: failure for name, failure in versions._failures.items() if failure.is_final}
        for item, progress in versions.progress.items():
            if progress.failure and not isinstance(progress.failure.error, RefusedError):
                versions.progress[item] = type(progress)(progress.digest)


def candidate_of(adapter: str, source: str, **more: object) -> DesiredAdapter:
    return DesiredAdapter(tenant="acme", adapter=adapter, source=source, revision=f"r{source}", **more)  # type: ignore[arg-type]


def desired_set(*items: DesiredAdapter) -> DesiredSet:
    return DesiredSet(adapters=items)


def states_of(status: AgentStatus) -> dict[str, str]:
    return {h.adapter: h.state for h in status.adapters}
