"""Desired set → the engine's real adapters, repeated until they are equal.

Level-triggered: each pass lists the engine's adapters, decides (`plan`), acts, and publishes the result. A crash, a
restarted engine or a lost call needs no special case: the next pass sees the difference.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable

from contract import conditions
from contract.agent import AgentStatus, DesiredAdapter, DesiredSet, Fingerprint
from contract.names import engine_name
from service.changes import Latest
from serving.agent.artifacts import Artifacts
from serving.agent.audits import Audits
from serving.agent.culprits import DEATHS, Culprits
from serving.agent.engine import Engine
from serving.agent.errors import AgentError, EngineDownError, OtherWeightsError, RefusedError, UnavailableError
from serving.agent.fingerprint import TOLERANCE, comparable, distance, without_effect
from serving.agent.metrics import Metrics
from serving.agent.plan import Failure, Progress, desired_entries, name_of, plan, remembered, report_of, undecided
from serving.agent.rules import PendingRules

logger = logging.getLogger(__name__)

# How often the engine is asked when nothing is known to have changed: this bounds how long a restart goes unseen.
PERIOD_S = 0.5
# An engine is down when it has not answered this often, one question after the other: one slow answer is no death.
MISSES = 2
# A version without an answer this often is unloaded, to be loaded afresh.
ATTEMPTS_IN_PLACE = 2


class Convergence:
    """Owns the engine's adapters. One pass at a time; artifacts arrive in the background.

    `status` is None until a first pass over a desired set is complete, or the engine is certainly down: a restarted
    agent must not report adapters as unready while its engine still serves them.
    """

    def __init__(
        self, engine: Engine, artifacts: Artifacts, rules: PendingRules, culprits: Culprits, metrics: Metrics
    ) -> None:
        self._engine = engine
        self._artifacts = artifacts
        self._rules = rules
        self._culprits = culprits
        self._metrics = metrics
        self._desired: DesiredSet | None = None
        self._progress: dict[DesiredAdapter, Progress] = {}
        # By engine name: the same content is asked for under several revisions, and fails under each.
        self._failures: dict[str, Failure] = {
            name: Failure(error, 1, float("inf")) for name, error in culprits.refusals().items()
        }
        self._answered: dict[str, Fingerprint] = {}
        self._records: dict[str, Fingerprint] = {}
        self._started: float | None = None
        self._misses = 0
        self._met_at = 0.0
        self._base: Fingerprint | None = None
        self._spoiled_by: str | None = None
        self._audits = Audits()
        self._passed = False
        self._wake = asyncio.Event()
        self.status: Latest[AgentStatus | None] = Latest(None)

    def desire(self, desired: DesiredSet) -> None:
        """Replace the desired set. For removed entries only the engine's results are remembered."""
        if desired == self._desired:
            return
        self._desired = desired
        verified = {(item.tenant, item.adapter, progress.digest) for item, progress in self._progress.items()}
        self._progress = {item: self._progress.get(item) or self._begin(item, verified) for item in desired.adapters}
        self._wake.set()

    def _begin(self, item: DesiredAdapter, verified: set[tuple[str, str, str | None]]) -> Progress:
        """A version verified under another revision is not verified again: a flip must not unready the replica."""
        is_verified = (item.tenant, item.adapter, item.digest) in verified
        return self._verified(item, item.digest) if item.digest and is_verified else Progress()

    def _verified(self, item: DesiredAdapter, digest: str) -> Progress:
        return Progress(digest, self._failures.get(engine_name(item.tenant, item.adapter, digest)))

    async def run(self) -> None:
        try:
            while True:
                self._wake.clear()
                await self._pass()
                await self._sleep()
        finally:
            await self._artifacts.stop()

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(PERIOD_S):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _pass(self) -> None:
        try:
            self._fetch()
            await self._meet_engine()
            if self._desired is not None and self._spoiled_by is None:
                await self._converge()
                await self._artifacts.collect(self._needed())
        except UnavailableError as error:
            logger.debug("a pass ended early: %s", error.message)
        except Exception:
            logger.exception("a pass failed in a way that was not foreseen; the next one starts afresh")
        self._passed |= self._desired is not None and self._misses >= MISSES
        self._publish()

    async def _meet_engine(self) -> None:
        """A new start time means a new process: earlier results do not count. No engine starts within a period, and its
        metrics are expensive."""
        now = time.monotonic()
        may_be_new = self._started is None or self._misses or self._spoiled_by
        if not may_be_new and now - self._met_at < PERIOD_S:
            return
        self._met_at = now
        started = await self._engine.started()
        self._misses = 0 if started is not None else self._misses + 1
        if started is None:
            if self._misses == MISSES:
                logger.info("engine is down")
            raise EngineDownError("EngineDown", "the engine does not answer")
        if started != self._started:
            logger.info("engine started at %.0f", started)
            self._started, self._answered, self._base, self._spoiled_by = started, {}, None, None
            self._progress = {item: progress.on_another_engine for item, progress in self._progress.items()}
            self._failures = {name: failure for name, failure in self._failures.items() if failure.is_final}
            self._publish()
            await self._rules.read(engine_runs=True)
        if self._base is None:
            await self._meet_base(started)

    async def _meet_base(self, started: float) -> None:
        """For an engine known from an earlier life of this agent, the recorded base answers count."""
        base = await self._base_now()
        first = self._culprits.base_of(started)
        if first is not None and distance(base, first) > TOLERANCE:
            self._spoiled_by, self._passed = "a version that was loaded before", True
            raise UnavailableError("SpoilsEngine", f"the base model does not answer as it did: {self._spoiled_by}")
        self._base = first or base
        if first is None:
            await asyncio.to_thread(self._culprits.meet, started, base)

    # Artifacts -----------------------------------------------------------------------------------------------

    def _fetch(self) -> None:
        now = time.monotonic()
        self._artifacts.keep(self._progress)
        for item, progress in self._progress.items():
            if progress.digest and not self._artifacts.holds(progress.digest):
                self._progress[item] = progress = Progress()
            if progress.digest is None and progress.due(now):
                self._artifacts.fetch(item, self._arrived)

    def _arrived(self, item: DesiredAdapter, result: str | AgentError) -> None:
        """A digest, or why there is none."""
        if isinstance(result, AgentError):
            self._fail(item, result)
        elif item in self._progress:
            self._progress[item] = self._verified(item, result)
        self._wake.set()

    def _needed(self) -> frozenset[str]:
        """Digests possibly still needed for loading a desired version."""
        digests = (progress.digest or item.digest for item, progress in self._progress.items())
        return frozenset(digest for digest in digests if digest)

    def _fail(self, item: DesiredAdapter, error: AgentError) -> None:
        if item not in self._progress:
            return
        self._progress[item] = self._progress[item].failed(error, time.monotonic())
        self._report(f"adapter {item.adapter} of tenant {item.tenant}", error)

    def _fail_version(self, name: str, items: tuple[DesiredAdapter, ...], error: AgentError) -> None:
        now = time.monotonic()
        failure = (self._failures.get(name) or Failure(error, 0, now)).next(error, now)
        self._failures[name] = failure
        for item in items:
            if item in self._progress:
                self._progress[item] = Progress(self._progress[item].digest, failure)
        self._report(name, error)

    def _report(self, what: str, error: AgentError) -> None:
        self._metrics.failures.labels(error.reason).inc()
        logger.warning("%s: %s: %s", what, error.reason, error.message)

    # The engine ----------------------------------------------------------------------------------------------

    async def _converge(self) -> None:
        loaded = await self._engine.loaded()
        self._answered = {name: fingerprint for name, fingerprint in self._answered.items() if name in loaded}
        asked = desired_entries(self._progress, loaded, frozenset(self._answered), time.monotonic())
        todo = plan(frozenset(asked), undecided(self._progress, loaded), loaded, frozenset(self._answered))
        for name in todo.probe:
            if name in loaded:
                await self._attempt(name, asked[name], self._probe(name, asked[name]))
        self._passed = True  # the engine's adapters are listed now; the rest may take any time
        for name in todo.load:
            await self._bring_in(name, asked[name])
            if self._spoiled_by:
                return
        for name in todo.unload:
            await self._try_to_unload(name)
        self._answered = {name: fingerprint for name, fingerprint in self._answered.items() if name in asked}
        names = {name_of(item, progress) for item, progress in self._progress.items()}
        self._records = {name: record for name, record in self._records.items() if name in names}
        self._failures = remembered(self._failures, {*filter(None, names)}, time.monotonic())
        turn = self._audits.next(sorted(self._answered), time.monotonic())
        if turn:
            await self._audit(turn, asked[turn])

    async def _bring_in(self, name: str, items: tuple[DesiredAdapter, ...]) -> None:
        """Loads and proves a version. If the engine ends meanwhile, the version may be the cause."""
        try:
            if await self._attempt(name, items, self._load(name, items)):
                await self._attempt(name, items, self._probe(name, items, fresh=True))
        except EngineDownError:
            deaths = await asyncio.to_thread(self._culprits.died, name)
            if deaths >= DEATHS:
                message = f"the engine ended {deaths} times while {name} was loaded: it is not loaded again"
                await self._refuse(name, items, RefusedError(conditions.ENGINE_ENDED, message))
            raise
        await asyncio.to_thread(self._culprits.forgive, name)

    async def _refuse(self, name: str, items: tuple[DesiredAdapter, ...], error: RefusedError) -> None:
        """For good, here and in every later life of this agent."""
        await asyncio.to_thread(self._culprits.refuse, name, error)
        self._fail_version(name, items, error)

    async def _attempt(self, name: str, items: tuple[DesiredAdapter, ...], action: Awaitable[None]) -> bool:
        """A bad adapter fails alone and stops no other. A dead engine is not an adapter's failure."""
        try:
            await action
        except EngineDownError:
            raise
        except AgentError as error:
            self._fail_version(name, items, error)
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

    async def _load(self, name: str, items: tuple[DesiredAdapter, ...]) -> None:
        """Does nothing if the desired set has changed meanwhile."""
        digests = (progress.digest for item in items if (progress := self._progress.get(item)))
        digest = next((digest for digest in digests if digest), None)
        if digest is None:
            return
        path = await asyncio.to_thread(self._artifacts.engine_path, digest)
        with self._metrics.load_seconds.time():
            await self._engine.load(name, str(path))
        self._metrics.loads.inc()
        logger.info("loaded %s", name)

    async def _check_base(self, name: str) -> None:
        """Raises unless the base model answers as before the load, regardless of the version's own answer."""
        try:
            if self._base is None or distance(await self._base_now(), self._base) <= TOLERANCE:
                return
        except EngineDownError:
            raise
        except UnavailableError:
            pass  # no answer at all is another one
        self._spoiled_by = name
        self._answered = {}
        message = (
            f"since {name} was loaded, the base model answers otherwise: its engine is restarted without this version"
        )
        error = RefusedError(conditions.SPOILS_ENGINE, message)
        await asyncio.to_thread(self._culprits.refuse, name, error)
        raise error

    async def _base_now(self) -> Fingerprint:
        return await self._engine.fingerprint(self._engine.base_model)

    async def _probe(self, name: str, items: tuple[DesiredAdapter, ...], *, fresh: bool = False) -> None:
        """Checks the version's answer and its fingerprint. A failing version leaves service at once, and the engine
        soon.

        A `fresh` version counts only after the base model is checked too, regardless of the version's own answer.
        """
        try:
            fingerprint = await (self._proved_beside_base(name, items) if fresh else self._proved(name, items))
        except EngineDownError:
            raise
        except AgentError as error:
            self._answered.pop(name, None)
            if isinstance(error, OtherWeightsError | RefusedError) or self._attempts(name) >= ATTEMPTS_IN_PLACE:
                await self._try_to_unload(name)
            raise
        self._answered[name] = fingerprint
        self._failures.pop(name, None)
        self._records.setdefault(name, fingerprint)
        for item in items:
            if item in self._progress:
                self._progress[item] = Progress(digest=self._progress[item].digest)

    async def _proved_beside_base(self, name: str, items: tuple[DesiredAdapter, ...]) -> Fingerprint:
        try:
            fingerprint = await self._proved(name, items)
        except EngineDownError:
            raise
        except AgentError:
            await self._check_base(name)
            raise
        await self._check_base(name)
        return fingerprint

    async def _audit(self, name: str, items: tuple[DesiredAdapter, ...]) -> None:
        """Takes different weights out of service; a missing answer says nothing about the weights."""
        try:
            await self._proved(name, items)
        except (OtherWeightsError, RefusedError) as error:
            self._answered.pop(name, None)
            await self._try_to_unload(name)
            self._fail_version(name, items, error)

    async def _proved(self, name: str, items: tuple[DesiredAdapter, ...]) -> Fingerprint:
        """The current fingerprint, equal to the recorded one."""
        fingerprint = await self._fingerprint(name)
        self._compare(name, fingerprint, items)
        return fingerprint

    async def _fingerprint(self, name: str) -> Fingerprint:
        fingerprint = await self._engine.fingerprint(name)
        return fingerprint.model_copy(update={"base": self._base.prompts}) if self._base else fingerprint

    def _attempts(self, name: str) -> int:
        failure = self._failures.get(name)
        return failure.attempts if failure else 0

    def _compare(self, name: str, fingerprint: Fingerprint, items: tuple[DesiredAdapter, ...]) -> None:
        records = [r for r in (self._records.get(name), *(item.fingerprint for item in items)) if r is not None]
        if any(r.engine == fingerprint.engine and distance(fingerprint, r) <= TOLERANCE for r in records):
            return
        if self._base is not None and distance(fingerprint, self._base) == 0:
            raise without_effect(name, before=bool(records))
        for record in records:
            if comparable(fingerprint, record) and distance(fingerprint, record) > TOLERANCE:
                self._metrics.mismatches.inc()
                raise OtherWeightsError(
                    "FingerprintDiffers",
                    f"{name} answers {distance(fingerprint, record):.3f} nats away from its record, over {TOLERANCE}: "
                    "these are other weights, and it is loaded again",
                )

    async def _unload(self, name: str) -> None:
        await self._engine.unload(name)
        if name in await self._engine.loaded():
            raise UnavailableError("UnloadFailed", f"the engine still lists {name}")
        self._metrics.unloads.inc()
        logger.info("unloaded %s", name)

    # Status --------------------------------------------------------------------------------------------------

    def _publish(self) -> None:
        if not self._passed:
            return
        alive = self._misses < MISSES and self._started is not None
        answered = frozenset(self._answered) if alive else frozenset[str]()
        prints, made_for = self._answered, self._artifacts.made_for
        adapters = tuple(
            report_of(item, progress, answered, prints.get(name_of(item, progress) or ""), made_for(progress.digest))
            for item, progress in self._progress.items()
        )
        started = self._started if alive else None
        ready = alive and self._spoiled_by is None and self._ready()
        status = AgentStatus(version=0, ready=ready, started=started, spoiled_by=self._spoiled_by, adapters=adapters)
        self.status.set(status)
        self._metrics.show(status)

    def _ready(self) -> bool:
        return (
            self._desired is not None
            and self._base is not None
            and all(
                name_of(item, progress) in self._answered or (progress.failure is not None and progress.failure.settled)
                for item, progress in self._progress.items()
                if item.required
            )
        )
