"""Desired set → what the engine really holds, again and again until they are equal.

Level-triggered: each pass asks the engine what it has, decides (pure), acts, and publishes what it saw. A crash, a
restarted engine or a lost call needs no case of its own, the next pass finds the difference.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from pathlib import Path

from operators.api.agent import AgentStatus, DesiredAdapter, DesiredSet, HeldAdapter
from operators.api.names import engine_name
from serving.agent.engine import Engine
from serving.agent.errors import AgentError, RefusedError, UnavailableError
from serving.agent.latest import Latest
from serving.agent.metrics import Metrics
from serving.agent.sources import local_directory
from serving.agent.store import Store
from serving.agent.verify import Rules

logger = logging.getLogger(__name__)

# How often the engine is asked when nothing is known to have changed: this bounds how long a restart goes unseen.
PERIOD_S = 0.5
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 60.0


@dataclass(frozen=True)
class Plan:
    """By engine name, in the order to be done."""

    load: tuple[str, ...]
    probe: tuple[str, ...]
    unload: tuple[str, ...]


def plan(wanted: frozenset[str], loaded: frozenset[str], answered: frozenset[str]) -> Plan:
    """Load and prove what is missing before anything is taken away."""
    return Plan(
        load=tuple(sorted(wanted - loaded)),
        probe=tuple(sorted(wanted - (answered & loaded))),
        unload=tuple(sorted(loaded - wanted)),
    )


@dataclass(frozen=True)
class Failure:
    error: AgentError
    attempts: int
    retry_at: float  # seconds on the monotonic clock; infinity for what is refused

    def next(self, error: AgentError, now: float) -> "Failure":
        attempts = self.attempts + 1
        delay = min(FIRST_RETRY_S * 2 ** (attempts - 1), LAST_RETRY_S)
        return Failure(error, attempts, float("inf") if isinstance(error, RefusedError) else now + delay)


NEVER_FAILED = Failure(RefusedError("", ""), 0, 0.0)


@dataclass(frozen=True)
class Progress:
    """What is known of one desired version. The digest outlives failures: the files stay verified."""

    digest: str | None = None
    failure: Failure = NEVER_FAILED


def _begin(item: DesiredAdapter, verified: set[str | None]) -> Progress:
    """A version that was verified under another revision needs no second look: a flip must not unready the replica."""
    return Progress(digest=item.digest) if item.digest in verified else Progress()


class Convergence:
    """Owns the engine's adapters. One pass at a time; fetches run beside it, one for each version."""

    def __init__(self, engine: Engine, store: Store, rules: Rules, metrics: Metrics) -> None:
        self._engine = engine
        self._store = store
        self._rules = rules
        self._metrics = metrics
        self._desired: DesiredSet | None = None
        self._progress: dict[DesiredAdapter, Progress] = {}
        self._fetches: dict[DesiredAdapter, asyncio.Task[None]] = {}
        self._answered: frozenset[str] = frozenset()
        self._started: float | None = None
        self._base_answered = False
        self._wake = asyncio.Event()
        self.status = Latest(AgentStatus(version=0, ready=False, started=None))

    def desire(self, desired: DesiredSet) -> None:
        """Replace the desired set. What is no longer in it is forgotten, its failures included."""
        if desired == self._desired:
            return
        self._desired = desired
        verified = {progress.digest for progress in self._progress.values()}
        self._progress = {item: self._progress.get(item) or _begin(item, verified) for item in desired.adapters}
        for item in [item for item in self._fetches if item not in self._progress]:
            self._fetches.pop(item).cancel()
        self._wake.set()

    async def run(self) -> None:
        try:
            while True:
                self._wake.clear()
                await self._pass()
                await self._sleep()
        finally:
            for task in self._fetches.values():
                task.cancel()

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(PERIOD_S):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _pass(self) -> None:
        try:
            await self._meet_engine()
            self._start_fetches()
            if self._started is not None and self._desired is not None:
                await self._converge(self._wanted())
        except UnavailableError as error:
            logger.warning("the engine went away during a pass: %s", error.message)
        except Exception:
            logger.exception("a pass failed in a way that was not foreseen; the next one starts afresh")
        self._publish()

    async def _meet_engine(self) -> None:
        """A new start time is a new process: nothing that the old one answered counts."""
        started = await self._engine.started()
        if started != self._started:
            logger.info("engine %s", "is down" if started is None else f"started at {started:.0f}")
            self._started, self._answered, self._base_answered = started, frozenset(), False
            self._publish()
        if started is not None and not self._base_answered:
            await self._engine.probe(self._engine.base_model)
            self._base_answered = True

    # Fetching ------------------------------------------------------------------------------------------------

    def _start_fetches(self) -> None:
        now = time.monotonic()
        for item, progress in self._progress.items():
            if progress.digest is None and item not in self._fetches and progress.failure.retry_at <= now:
                self._fetches[item] = asyncio.create_task(self._fetch(item))

    async def _fetch(self, item: DesiredAdapter) -> None:
        try:
            digest = await asyncio.to_thread(self._admit, item)
            self._update(item, digest=digest)
        except AgentError as error:
            self._fail(item, error)
        except Exception as error:
            logger.exception(
                "fetching %s of tenant %s failed in a way that was not foreseen", item.adapter, item.tenant
            )
            self._fail(item, UnavailableError("FetchFailed", f"the artifact could not be read: {error!r}"))
        finally:
            if self._fetches.get(item) is asyncio.current_task():
                del self._fetches[item]
            self._wake.set()

    def _admit(self, item: DesiredAdapter) -> str:
        if item.digest and self._store.holds(item.digest):
            return item.digest
        if item.source is None:
            raise RefusedError("NotStored", f"version {item.digest} is not in this replica's store and has no source")
        with self._metrics.fetch_seconds.time():
            return self._store.admit(local_directory(item.source), self._rules, pinned=item.digest)

    def _update(self, item: DesiredAdapter, *, digest: str | None) -> None:
        """A success: failures before it are forgotten."""
        if item in self._progress:
            self._progress[item] = Progress(digest=digest)

    def _fail(self, item: DesiredAdapter, error: AgentError) -> None:
        if item not in self._progress:
            return
        progress = self._progress[item]
        self._progress[item] = replace(progress, failure=progress.failure.next(error, time.monotonic()))
        self._metrics.failures.labels(error.reason).inc()
        logger.warning("adapter %s of tenant %s: %s: %s", item.adapter, item.tenant, error.reason, error.message)

    # The engine ----------------------------------------------------------------------------------------------

    def _wanted(self) -> dict[str, list[DesiredAdapter]]:
        """Engine name → the entries that ask for it; those waiting for their next try left out."""
        now = time.monotonic()
        wanted: dict[str, list[DesiredAdapter]] = {}
        for item, progress in self._progress.items():
            if progress.digest and (progress.failure.retry_at <= now or self._answers(item, progress)):
                wanted.setdefault(engine_name(item.tenant, item.adapter, progress.digest), []).append(item)
        return wanted

    def _answers(self, item: DesiredAdapter, progress: Progress) -> bool:
        return bool(progress.digest) and engine_name(item.tenant, item.adapter, progress.digest or "") in self._answered

    async def _converge(self, wanted: dict[str, list[DesiredAdapter]]) -> None:
        loaded = await self._engine.loaded()
        todo = plan(frozenset(wanted), loaded, self._answered)
        for name in todo.load:
            await self._attempt(wanted[name], self._load(name, wanted[name][0]))
        for name in todo.probe:
            await self._attempt(wanted[name], self._probe(name, wanted[name]))
        for name in todo.unload:
            await self._unload(name)
        self._answered &= frozenset(wanted)

    async def _attempt(self, items: list[DesiredAdapter], action: Awaitable[None]) -> None:
        """One bad adapter never stops another: its failure is its own."""
        try:
            await action
        except UnavailableError as error:
            for item in items:
                self._fail(item, error)
        self._publish()

    async def _load(self, name: str, item: DesiredAdapter) -> None:
        digest = self._progress[item].digest
        path: Path = self._store.path(digest or "")
        with self._metrics.load_seconds.time():
            await self._engine.load(name, str(path))
        self._metrics.loads.inc()
        logger.info("loaded %s", name)

    async def _probe(self, name: str, items: list[DesiredAdapter]) -> None:
        await self._engine.probe(name)
        self._answered |= {name}
        for item in items:
            self._update(item, digest=self._progress[item].digest)

    async def _unload(self, name: str) -> None:
        await self._engine.unload(name)
        if name in await self._engine.loaded():
            raise UnavailableError("UnloadFailed", f"the engine still lists {name}")
        self._metrics.unloads.inc()
        logger.info("unloaded %s", name)

    # Status --------------------------------------------------------------------------------------------------

    def _publish(self) -> None:
        held = tuple(self._held(item, progress) for item, progress in self._progress.items())
        # A version that fails keeps its own name from being served here, and nobody else's.
        settled = [
            h.state in ("Ready", "Failed") for item, h in zip(self._progress, held, strict=True) if item.required
        ]
        status = AgentStatus(
            version=0,
            ready=self._desired is not None and self._base_answered and all(settled),
            started=self._started,
            adapters=held,
        )
        self.status.set(status)
        self._metrics.show(status)

    def _held(self, item: DesiredAdapter, progress: Progress) -> HeldAdapter:
        held = HeldAdapter(tenant=item.tenant, adapter=item.adapter, revision=item.revision, state="Fetching")
        if progress.digest:
            name = engine_name(item.tenant, item.adapter, progress.digest)
            state = "Ready" if name in self._answered else "Loading"
            held = held.model_copy(update={"digest": progress.digest, "engine_name": name, "state": state})
        if held.state != "Ready" and progress.failure.attempts:
            error = progress.failure.error
            held = held.model_copy(update={"state": "Failed", "reason": error.reason, "message": error.message})
        return held
