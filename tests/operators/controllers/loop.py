"""The real controllers over the real directory store, one engine whose agent is played by the test, and time by hand.

Nothing here waits, so that every step is done when it returns.
"""

from collections.abc import Collection, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contract.adapter import Adapter, Decision
from contract.agent import AgentStatus, DesiredSet
from contract.api_key import Scope
from contract.base_model import BaseModel
from contract.conditions import Condition
from contract.drift import Tenants
from contract.gateway import GatewayState
from contract.ingest import DesiredKnowledgeBases
from contract.objects import AnyObject, Objects, collect
from contract.resource import Key
from contract.snapshot import Snapshot
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.controllers.controller import RECONCILES
from operators.controllers.events import Events, base_key
from operators.controllers.peer import Peer
from operators.controllers.stored_object import StoredObject
from operators.desired.desired_items import DesiredItems
from operators.desired.job import Job
from operators.desired.replica_report import ReplicaReport, is_same
from operators.local.directory import Contents
from operators.local.store import DirectoryStore
from operators.reconcile.job_report import JobReport

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ENGINE = Peer(name="base", uid="base", base="base", url="http://engine", control_url="http://agent")
GATEWAY = Peer(name="gateway", uid="gateway", base="", control_url="http://gateway")


class OneEngine:
    """It runs whatever the base model says."""

    def __init__(self) -> None:
        self.is_needed = True

    def refusal(self, base: BaseModel) -> Condition | None:
        return None

    async def run(self, stored: StoredObject[BaseModel], *, needed: bool) -> None:
        self.is_needed = needed

    async def scale(self, stored: StoredObject[BaseModel], *, needed: bool) -> None:
        self.is_needed = needed

    async def remove(self, name: str) -> None:
        pass

    def waiting_reason(self, name: str) -> str:
        return ""

    def selector(self, name: str) -> str:
        return ""


class Jobs:
    """Each job is as far as `report` says."""

    def __init__(self) -> None:
        self.report = JobReport("Running")
        self.running: dict[Key, Job] = {}

    def refusal(self, *, asks: bool) -> Condition | None:
        return None

    def token(self, tenant: str, name: str, scopes: Collection[Scope]) -> str:
        return f"token of {tenant}"

    async def run(self, job: Job) -> JobReport:
        self.running[job.key] = job
        return self.report

    async def stop(self, key: Key) -> None:
        self.running.pop(key, None)

    async def remove(self, key: Key, tenant: str) -> bool:
        self.running.pop(key, None)
        return True

    async def forget(self, tenant: str) -> bool:
        return True


class Pushed:
    """What the controllers have told others."""

    def __init__(self) -> None:
        self.items = DesiredItems({}, total=0)
        self.knowledge_bases = DesiredKnowledgeBases(knowledge_bases=[])
        self.tenants = Tenants(tenants=[])

    @property
    def desired(self) -> DesiredSet:
        return self.items.complete

    def push_desired(self, uid: str, desired: DesiredItems) -> None:
        """What is said not to have changed has not."""
        if uid == ENGINE.uid and desired.changed is not None:
            before, after = self.items.by_adapter, desired.by_adapter
            assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} <= (
                desired.changed
            )
        assert desired.total == sum(item.number for item in desired.complete.adapters)
        self.items = desired

    def push_knowledge_bases(self, desired: DesiredKnowledgeBases) -> None:
        self.knowledge_bases = desired

    def push_tenants(self, tenants: Tenants) -> None:
        self.tenants = tenants


class Loop:
    def __init__(self) -> None:
        self.now = BEGIN
        self.pending: dict[Key, None] = {}
        self.later: set[Key] = set()
        self.cache = ClusterCache()
        self.events = Events(self.cache, lambda key: self.pending.setdefault(key), lambda key, _: self.later.add(key))
        self.store = DirectoryStore(Path("/objects"), self.events, {})
        self.pushed = Pushed()
        self.jobs = Jobs()
        self.engine = OneEngine()
        self.around = Context(self.cache, self.events, self.store, self.engine, self.jobs, self.pushed)
        self.snapshot = Snapshot()
        self.events.peer_changed(None, ENGINE)
        self.events.peer_changed(None, GATEWAY)

    @property
    def objects(self) -> Objects:
        return collect(stored.item for stored in self.cache.objects.values())

    def adapter(self, name: str) -> Adapter:
        return next(adapter for adapter in self.objects.adapters if adapter.name == name)

    # What happens --------------------------------------------------------------------------------------------

    def files_say(self, items: Iterable[AnyObject], revision: str = "r1", decision: Decision | None = None) -> None:
        objects = collect(items)
        self.store.update(
            Contents(
                files={"all.yaml": objects.all},
                revisions={adapter.key: revision for adapter in objects.adapters},
                decisions={adapter.key: decision for adapter in objects.adapters} if decision else {},
            )
        )

    def agent_says(self, report: AgentStatus) -> None:
        entire = ReplicaReport.of(report)
        if not is_same(entire, self.cache.reports.get(ENGINE.uid)):
            self.events.report_changed(ENGINE, entire)

    def gateway_says(self, state: GatewayState) -> None:
        self.events.gateway_changed(GATEWAY, state)

    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.events.enqueue(self.later)
        self.later.clear()

    def look_at(self, key: Key) -> None:
        self.pending.pop(key, None)
        again = _finished(RECONCILES[key.kind](key, self.around, self.now))
        if again is not None:
            self.later.add(key)

    def settle(self) -> "Loop":
        """Until nothing waits to be looked at; then what gateways read is published."""
        for _ in range(1_000):
            if not self.pending:
                break
            self.look_at(next(iter(self.pending)))
        assert not self.pending, f"never settles: {list(self.pending)}"
        self.publish()
        return self

    def desired_anew(self) -> DesiredSet:
        """What would be desired if no placement were remembered."""
        pushed, placements = self.pushed.items, dict(self.cache.placements)
        for name in placements:
            self.cache.placements.pop(name)
            self.look_at(base_key(name))
        self.cache.placements.update(placements)
        anew, self.pushed.items = self.pushed.desired, pushed
        return anew

    def publish(self) -> None:
        slices = tuple(stored.item for stored in self.cache.slices.stored.values())
        news = Snapshot(generation=self.snapshot.generation, objects=self.objects, adapter_slices=slices)
        if news != self.snapshot:
            self.snapshot = news.model_copy(update={"generation": news.generation + 1})
            self.cache.published = self.snapshot.generation


def _finished(work: Coroutine[Any, Any, float | None] | Any) -> float | None:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        result: float | None = end.value
        return result
    raise AssertionError("the controllers have waited for something")
