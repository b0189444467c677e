"""Desired set → the engine's real adapters, repeated until they are equal.

Level-triggered: each pass lists the engine's adapters, decides (`plan`), acts, and publishes the result. A crash, a
restarted engine or a lost call needs no special case: the next pass sees the difference.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Set
from contextlib import suppress

from contract import conditions
from contract.agent import DesiredAdapter, DesiredChange, DesiredSet, Fingerprint
from serving.agent.artifacts import Artifacts
from serving.agent.audits import Audits
from serving.agent.culprits import DEATHS, Culprits
from serving.agent.engine import Engine
from serving.agent.engine_memory import EngineMemory
from serving.agent.engine_watch import PERIOD_S, EngineWatch
from serving.agent.errors import AgentError, EngineDownError, OtherWeightsError, RefusedError, UnavailableError
from serving.agent.metrics import Metrics
from serving.agent.plan import Progress, desired_entries, plan, undecided
from serving.agent.proof import Items, Proof
from serving.agent.reporting import agent_status
from serving.agent.rules import PendingRules
from serving.agent.status_log import StatusLog
from serving.agent.versions import Versions

logger = logging.getLogger(__name__)

# After this many failed probes a version is unloaded and loaded again.
ATTEMPTS_IN_PLACE = 2


class Convergence:
    """Owns the engine's adapters. One pass at a time; artifacts arrive in the background.

    Its status is None until a first pass over a desired set is complete, or the engine is certainly down: a restarted
    agent must not report adapters as unready while its engine still serves them.
    """

    def __init__(
        self,
        engine: Engine,
        artifacts: Artifacts,
        rules: PendingRules,
        culprits: Culprits,
        memory: EngineMemory,
        metrics: Metrics,
    ) -> None:
        self._engine = engine
        self._artifacts = artifacts
        self._rules = rules
        self._culprits = culprits
        self._memory = memory
        self._metrics = metrics
        self._watch = EngineWatch(engine, culprits)
        self._proof = Proof(engine, self._watch, culprits, metrics)
        self._versions = Versions(culprits.refusals(), metrics)
        self._answered: dict[str, Fingerprint] = {}
        self._audits = Audits()
        self._passed = False
        self._wake = asyncio.Event()
        self.status = StatusLog()

    def desire(self, desired: DesiredSet) -> None:
        if desired != self._versions.desired:
            self._versions.desire(desired)
            self._wake.set()

    def change(self, change: DesiredChange) -> bool:
        """False if it is a change of another set than the current one."""
        after = self._versions.desired.changed(change) if self._versions.desired else None
        if after is not None:
            self.desire(after)
        return after is not None

    async def run(self) -> None:
        try:
            while True:
                self._wake.clear()
                await self._pass()
                await self._sleep()
        finally:
            await self._artifacts.stop()

    async def _sleep(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PERIOD_S):
                await self._wake.wait()

    async def _pass(self) -> None:
        try:
            self._fetch()
            await self._detect_restart()
            if self._versions.desired is not None and self._watch.spoiled_by is None:
                await asyncio.to_thread(self._memory.keep, self._versions.resident_names())
                await self._converge()
                await self._artifacts.collect(self._versions.needed())
        except UnavailableError as error:
            logger.debug("a pass ended early: %s", error.message)
        except Exception:
            logger.exception("a pass failed in a way that was not foreseen; the next one starts afresh")
        has_desired = self._versions.desired is not None
        self._metrics.count_requests(*await asyncio.to_thread(self._memory.requests))
        self._passed |= self._watch.spoiled_by is not None or (has_desired and self._watch.is_down)
        self._publish()

    async def _detect_restart(self) -> None:
        if await self._watch.meet():
            self._answered = {}
            self._versions.reset_for_new_engine()
            self._publish()
            await self._rules.read(engine_runs=True)
        await self._watch.meet_base()

    def _fetch(self) -> None:
        now, progress_of = time.monotonic(), self._versions.progress
        self._artifacts.cancel_except(progress_of)
        for item, progress in progress_of.items():
            if progress.digest and not self._artifacts.holds(progress.digest):
                progress_of[item] = progress = Progress()
            if progress.digest is None and progress.due(now):
                self._artifacts.fetch(item, self._arrived)

    def _arrived(self, item: DesiredAdapter, result: str | AgentError) -> None:
        self._versions.arrived(item, result)
        self._wake.set()

    async def _converge(self) -> None:
        loaded = await self._engine.loaded()
        self._answered = {name: fingerprint for name, fingerprint in self._answered.items() if name in loaded}
        progress, answered = self._versions.progress, frozenset(self._answered)
        asked = desired_entries(progress, loaded, answered, time.monotonic())
        todo = plan(frozenset(asked), undecided(progress, loaded), loaded, answered)
        for name in todo.probe:
            if name in loaded:
                await self._attempt(name, asked[name], self._probe(name, asked[name]))
        self._passed = True  # the engine's adapters are listed now; the rest may take any time
        for name in todo.load:
            await self._bring_in(name, asked[name])
            if self._watch.spoiled_by:
                return
        for name in todo.unload:
            await self._try_to_unload(name)
        self._answered = {name: fingerprint for name, fingerprint in self._answered.items() if name in asked}
        self._proof.keep(self._versions.tidy())
        if turn := self._audits.next(sorted(self._in_memory()), time.monotonic()):
            await self._audit(turn, asked[turn])

    def _in_memory(self) -> Set[str]:
        """The proven versions that keep their places in the engine's memory: an audit of another one would load it."""
        names = self._versions.resident_names()
        return self._answered.keys() if names is None else self._answered.keys() & names

    async def _bring_in(self, name: str, items: Items) -> None:
        """Loads and proves a version. If the engine ends meanwhile, the version may be the cause."""
        try:
            if await self._attempt(name, items, self._load(name, items)):
                await self._attempt(name, items, self._probe(name, items, fresh=True))
        except EngineDownError:
            deaths = await asyncio.to_thread(self._culprits.died, name)
            if deaths >= DEATHS:
                message = f"the engine ended {deaths} times while loading {name}, which is not loaded again"
                error = RefusedError(conditions.ENGINE_ENDED, message)
                await asyncio.to_thread(self._culprits.refuse, name, error)  # also for later lives of this agent
                self._versions.fail(name, items, error)
            raise
        await asyncio.to_thread(self._culprits.forgive, name)

    async def _attempt(self, name: str, items: Items, action: Awaitable[None]) -> bool:
        """A bad adapter fails alone and stops no other. A dead engine is not an adapter's failure."""
        try:
            await action
        except EngineDownError:
            raise
        except AgentError as error:
            self._versions.fail(name, items, error)
            return False
        finally:
            self._publish()
        return True

    async def _try_to_unload(self, name: str) -> None:
        try:
            await self._unload(name)
        except EngineDownError:
            raise
        except UnavailableError as error:
            logger.warning("%s", error.message)
        finally:
            self._publish()

    async def _load(self, name: str, items: Items) -> None:
        """Does nothing if the desired set has changed meanwhile."""
        digest = self._versions.digest(items)
        if digest is None:
            return
        path = await asyncio.to_thread(self._artifacts.engine_path, digest)
        with self._metrics.load_seconds.time():
            await self._engine.load(name, str(path))
        self._metrics.loads.inc()
        logger.info("loaded %s", name)

    async def _probe(self, name: str, items: Items, *, fresh: bool = False) -> None:
        """Checks the version's answer and its fingerprint. A failing version gets no requests at once, and
        is unloaded later.

        For a `fresh` version the base model's answer is checked too, whatever the version answers.
        """
        prove = self._proof.prove_beside_base if fresh else self._proof.prove
        try:
            fingerprint = await prove(name, items)
        except EngineDownError:
            raise
        except AgentError as error:
            await self._withdraw(name, error)
            raise
        self._answered[name] = fingerprint
        self._proof.record(name, fingerprint)
        self._versions.prove(name, items)

    async def _withdraw(self, name: str, error: AgentError) -> None:
        """Stops its requests; unloads it too if its weights are wrong, or it failed to answer repeatedly."""
        self._answered.pop(name, None)
        if self._watch.spoiled_by:
            self._answered = {}
        tried = self._versions.attempts(name) >= ATTEMPTS_IN_PLACE
        if isinstance(error, OtherWeightsError | RefusedError) or tried:
            await self._try_to_unload(name)

    async def _audit(self, name: str, items: Items) -> None:
        """Withdraws a version whose fingerprint changed; a missing answer says nothing about the weights."""
        try:
            await self._proof.prove(name, items)
        except (OtherWeightsError, RefusedError) as error:
            self._answered.pop(name, None)
            await self._try_to_unload(name)
            self._versions.fail(name, items, error)

    async def _unload(self, name: str) -> None:
        await self._engine.unload(name)
        if name in await self._engine.loaded():
            raise UnavailableError("UnloadFailed", f"the engine still lists {name}")
        self._metrics.unloads.inc()
        logger.info("unloaded %s", name)

    def _publish(self) -> None:
        if not self._passed:
            return
        status = agent_status(self._watch, self._versions, self._answered, self._artifacts.made_for)
        self.status.set(status)
        self._metrics.show(status)
