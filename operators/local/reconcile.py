"""All that was seen → all that should be, in one pure step over every object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from operators.api.acceptance import Verdicts, accept, owners
from operators.api.adapter import Adapter, Decision
from operators.api.agent import AgentStatus, DesiredSet, HeldAdapter
from operators.api.api_key import APIKey
from operators.api.base_model import BaseModel
from operators.api.conditions import stamp
from operators.api.gateway import GatewayState
from operators.api.ingest import IndexedKnowledgeBase, IngestStatus
from operators.api.knowledge_base import KnowledgeBase
from operators.api.objects import AnyObject, Objects, collect
from operators.api.resource import Key, Status
from operators.api.tenant import Tenant
from operators.desired.adapters import Credentials, Placement, place
from operators.desired.knowledge_bases import DesiredKnowledgeBase, desired_knowledge_bases
from operators.reconcile import adapter, base_model, knowledge_base, tenant
from operators.reconcile.release import Observed


@dataclass(frozen=True)
class Seen:
    """The world at one moment. An agent or a worker that is silent is None; a gateway that is, is absent."""

    objects: Objects
    revisions: Mapping[Key, str]
    statuses: Mapping[Key, Status]
    agents: Mapping[str, AgentStatus | None]
    engine_urls: Mapping[str, str]
    gateways: Sequence[GatewayState]
    ingest: IngestStatus | None
    now: datetime
    decisions: Mapping[Key, Decision] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=dict, repr=False)
    documents: str | None = None  # where each tenant's documents lie, in a directory of the tenant's name


@dataclass(frozen=True)
class Decided:
    objects: Objects
    adapters: Mapping[str, DesiredSet]
    knowledge_bases: tuple[DesiredKnowledgeBase, ...]
    tenants: tuple[str, ...]
    statuses: Mapping[Key, Status] = field(default_factory=dict)


def decide(seen: Seen) -> Decided:
    known = collect(_with_status(item, seen.statuses.get(item.key)) for item in seen.objects.all)
    verdicts = accept(known, seen.now, documents=seen.documents)
    step = _Step(seen, known, verdicts)
    statuses = {item.key: step.status(item) for item in known.all}
    objects = collect(_with_status(item, statuses[item.key]) for item in known.all)
    return Decided(
        objects=objects,
        adapters={base.name: step.place(objects, base).desired for base in objects.base_models},
        knowledge_bases=desired_knowledge_bases(objects, verdicts),
        tenants=tuple(t.name for t in objects.tenants if verdicts[t.key].holds),
        statuses=statuses,
    )


def _with_status(item: AnyObject, status: Status | None) -> AnyObject:
    return item.model_copy(update={"status": status}) if status else item


class _Step:
    """The reports are put in order once: to look through all of them for each object is a square."""

    def __init__(self, seen: Seen, known: Objects, verdicts: Verdicts) -> None:
        self._seen = seen
        self._known = known
        self._verdicts = verdicts
        self._now = stamp(seen.now)
        self._owners = owners(known.tenants)
        self._base_names = {base.name: (base.name, *base.spec.names) for base in known.base_models}
        self._held = {name: _by_adapter(report) for name, report in seen.agents.items() if report}
        indexed = seen.ingest.knowledge_bases if seen.ingest else ()
        self._indexed = {(report.tenant, report.name): report for report in indexed}
        self._unplaced = {
            key: fact for base in known.base_models for key, fact in self.place(known, base).unplaced.items()
        }

    def place(self, objects: Objects, base: BaseModel) -> Placement:
        return place(
            objects,
            base,
            verdicts=self._verdicts,
            revisions=self._seen.revisions,
            held=self._seen.agents.get(base.name),
            gateways=lambda *_: self._seen.gateways,
            credentials=self._seen.credentials,
        )

    def status(self, item: AnyObject) -> Status:
        verdict = self._verdicts[item.key]
        match item:
            case Adapter():
                return adapter.next_status(item, self._adapter(item))
            case BaseModel():
                replicas = {item.name: (self._seen.engine_urls[item.name], self._seen.agents[item.name])}
                return base_model.next_status(item, verdict=verdict, replicas=replicas, now=self._now)
            case KnowledgeBase():
                report = self._report(item)
                trouble = self._seen.ingest.message if self._seen.ingest else ""
                return knowledge_base.next_status(item, verdict=verdict, report=report, trouble=trouble, now=self._now)
            case Tenant():
                return tenant.tenant_status(item, verdict=verdict, objects=self._known, now=self._now)
            case APIKey():
                return tenant.key_status(item, verdict=verdict, now=self._now)

    def _adapter(self, item: Adapter) -> Observed:
        tenant = self._owners.get(item.namespace, "")
        return Observed(
            tenant=tenant,
            revision=self._seen.revisions[item.key],
            verdict=self._verdicts[item.key],
            replicas=self._replicas(item.spec.base_model, tenant, item.name),
            gateways=self._seen.gateways,
            now=self._now,
            decision=self._seen.decisions.get(item.key),
            unplaced=self._unplaced.get(item.key),
            base_names=self._base_names.get(item.spec.base_model, ()),
        )

    def _replicas(self, base: str, tenant: str, name: str) -> tuple[AgentStatus, ...]:
        """What the base model's replica says of this one adapter."""
        report = self._seen.agents.get(base)
        if report is None:
            return ()
        return (report.model_copy(update={"adapters": self._held[base].get((tenant, name), ())}),)

    def _report(self, item: KnowledgeBase) -> IndexedKnowledgeBase | None:
        return self._indexed.get((self._owners.get(item.namespace, ""), item.name))


def _by_adapter(report: AgentStatus) -> Mapping[tuple[str, str], tuple[HeldAdapter, ...]]:
    found: dict[tuple[str, str], tuple[HeldAdapter, ...]] = {}
    for held in report.adapters:
        found[held.tenant, held.adapter] = (*found.get((held.tenant, held.adapter), ()), held)
    return found
