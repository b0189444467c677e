"""All that was seen → all that should be, in one pure step over every object."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from contract.acceptance import Verdicts, accept, owners
from contract.adapter import Adapter, Decision
from contract.agent import AgentStatus, DesiredSet, HeldAdapter
from contract.api_key import APIKey
from contract.base_model import BaseModel, BaseModelStatus
from contract.conditions import Condition, stamp
from contract.gateway import GatewayState
from contract.ingest import DesiredKnowledgeBase, IndexedKnowledgeBase, IngestStatus
from contract.knowledge_base import KnowledgeBase
from contract.objects import AnyObject, Objects, collect
from contract.resource import Key, Status
from contract.tenant import Tenant
from operators.desired.adapters import Credentials, Placement, place
from operators.desired.knowledge_bases import desired_knowledge_bases
from operators.desired.pilot import pilots
from operators.reconcile import adapter, base_model, knowledge_base, tenant
from operators.reconcile.release import Observed


@dataclass(frozen=True)
class SeenReplica:
    """One engine. `report` is None while it or its agent is silent; `trouble` is why it does not serve."""

    name: str
    url: str
    report: AgentStatus | None
    trouble: str = ""


@dataclass(frozen=True)
class Seen:
    """Everything at one moment. A worker that is silent is None; a gateway that is, is absent. `down` are services that
    answered once and do not any more. `waits` says of base models why their newest spec is not run yet."""

    objects: Objects
    revisions: Mapping[Key, str]
    statuses: Mapping[Key, Status]
    replicas: Mapping[str, Sequence["SeenReplica"]]  # by base model
    gateways: Sequence[GatewayState]
    ingest: IngestStatus | None
    now: datetime
    decisions: Mapping[Key, Decision] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=dict, repr=False)
    documents: str | None = None  # where each tenant's documents lie, in a directory of the tenant's name
    down: Set[str] = frozenset()
    waits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Decided:
    objects: Objects
    adapters: Mapping[str, DesiredSet]  # by replica
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
        adapters={
            replica.name: step.place(objects, base, replica).desired
            for base in objects.base_models
            for replica in seen.replicas.get(base.name, ())
        },
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
        self._held = {
            replica.name: _by_adapter(replica.report)
            for replicas in seen.replicas.values()
            for replica in replicas
            if replica.report
        }
        indexed = seen.ingest.knowledge_bases if seen.ingest else ()
        self._indexed = {(report.tenant, report.name): report for report in indexed}
        self._pilots = {
            base.name: pilots(
                (adapter for adapter in known.adapters if adapter.spec.base_model == base.name),
                self._owners,
                seen.revisions,
                {replica.name: replica.report for replica in seen.replicas.get(base.name, ())},
            )
            for base in known.base_models
        }
        self._unplaced = {
            key: fact
            for base in known.base_models
            for replica in seen.replicas.get(base.name) or (None,)
            for key, fact in self.place(known, base, replica).unplaced.items()
        }

    def place(self, objects: Objects, base: BaseModel, replica: SeenReplica | None) -> Placement:
        return place(
            objects,
            base,
            verdicts=self._verdicts,
            revisions=self._seen.revisions,
            held=replica.report if replica else None,
            gateways=lambda *_: self._seen.gateways,
            credentials=self._seen.credentials,
            tried_elsewhere={k for k, name in self._pilots[base.name].items() if replica and name != replica.name},
        )

    def status(self, item: AnyObject) -> Status:
        verdict = self._verdicts[item.key]
        match item:
            case Adapter():
                return adapter.next_status(item, self._adapter(item))
            case BaseModel():
                return self._base_model(item, verdict)
            case KnowledgeBase():
                report = self._report(item)
                trouble = self._trouble_of_documents()
                return knowledge_base.next_status(item, verdict=verdict, report=report, trouble=trouble, now=self._now)
            case Tenant():
                return tenant.tenant_status(item, verdict=verdict, objects=self._known, now=self._now)
            case APIKey():
                return tenant.key_status(item, verdict=verdict, now=self._now)

    def _base_model(self, item: BaseModel, verdict: Condition) -> BaseModelStatus:
        replicas = self._seen.replicas.get(item.name, ())
        return base_model.next_status(
            item,
            verdict=verdict,
            replicas={replica.name: (replica.url, replica.report) for replica in replicas},
            now=self._now,
            trouble=next((r.trouble for r in replicas if r.trouble), self._seen.waits.get(item.name, "")),
        )

    def _trouble_of_documents(self) -> str:
        down = [name for name in ("ingest", "retrieval", "milvus") if name in self._seen.down]
        if down:
            return (
                f"{' and '.join(down)} {'do' if len(down) > 1 else 'does'} not answer, and is started again if it hangs"
            )
        return self._seen.ingest.message if self._seen.ingest else ""

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
            gateway_down="gateway" in self._seen.down,
        )

    def _replicas(self, base: str, tenant: str, name: str) -> tuple[AgentStatus, ...]:
        """What each replica that takes traffic says of this one adapter, or any where none does."""
        replicas = [replica for replica in self._seen.replicas.get(base, ()) if replica.report]
        taking = [replica for replica in replicas if replica.report and replica.report.ready]
        return tuple(
            replica.report.model_copy(update={"adapters": self._held[replica.name].get((tenant, name), ())})
            for replica in taking or replicas
            if replica.report
        )

    def _report(self, item: KnowledgeBase) -> IndexedKnowledgeBase | None:
        return self._indexed.get((self._owners.get(item.namespace, ""), item.name))


def _by_adapter(report: AgentStatus) -> Mapping[tuple[str, str], tuple[HeldAdapter, ...]]:
    found: dict[tuple[str, str], tuple[HeldAdapter, ...]] = {}
    for held in report.adapters:
        found[held.tenant, held.adapter] = (*found.get((held.tenant, held.adapter), ()), held)
    return found
