"""All that was seen → all that should be, in one pure step over every object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from operators.api.acceptance import Verdicts, accept, owners
from operators.api.adapter import Adapter
from operators.api.agent import AgentStatus, DesiredSet
from operators.api.api_key import APIKey
from operators.api.base_model import BaseModel
from operators.api.gateway import GatewayState
from operators.api.ingest import IndexedKnowledgeBase, IngestStatus
from operators.api.knowledge_base import KnowledgeBase
from operators.api.objects import AnyObject, Objects, collect
from operators.api.resource import Key, Status
from operators.api.tenant import Tenant
from operators.desired.adapters import desired_set
from operators.desired.knowledge_bases import DesiredKnowledgeBase, desired_knowledge_bases
from operators.reconcile import adapter, base_model, knowledge_base, tenant


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


@dataclass(frozen=True)
class Decided:
    objects: Objects
    adapters: Mapping[str, DesiredSet]
    knowledge_bases: tuple[DesiredKnowledgeBase, ...]
    tenants: tuple[str, ...]
    statuses: Mapping[Key, Status] = field(default_factory=dict)


def decide(seen: Seen) -> Decided:
    verdicts = accept(seen.objects, seen.now)
    step = _Step(seen, verdicts)
    statuses = {item.key: step.status(item) for item in seen.objects.all}
    objects = collect(item.model_copy(update={"status": statuses[item.key]}) for item in seen.objects.all)
    return Decided(
        objects=objects,
        adapters={name: step.desired(objects, name) for name in seen.agents},
        knowledge_bases=desired_knowledge_bases(objects, verdicts),
        tenants=tuple(t.name for t in objects.tenants if verdicts[t.key].holds),
        statuses=statuses,
    )


class _Step:
    def __init__(self, seen: Seen, verdicts: Verdicts) -> None:
        self._seen = seen
        self._verdicts = verdicts
        self._now = seen.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._owners = owners(seen.objects.tenants)

    def desired(self, objects: Objects, base: str) -> DesiredSet:
        return desired_set(
            objects,
            base_model=base,
            verdicts=self._verdicts,
            revisions=self._seen.revisions,
            held=self._seen.agents[base],
            gateways=self._seen.gateways,
        )

    def status(self, item: AnyObject) -> Status:
        verdict = self._verdicts[item.key]
        before = self._seen.statuses.get(item.key)
        known = item.model_copy(update={"status": before}) if before else item
        match known:
            case Adapter():
                return adapter.next_status(known, self._adapter(known))
            case BaseModel():
                replicas = {known.name: (self._seen.engine_urls[known.name], self._seen.agents[known.name])}
                return base_model.next_status(known, verdict=verdict, replicas=replicas, now=self._now)
            case KnowledgeBase():
                report = self._report(known)
                trouble = self._seen.ingest.message if self._seen.ingest else ""
                return knowledge_base.next_status(known, verdict=verdict, report=report, trouble=trouble, now=self._now)
            case Tenant():
                return tenant.tenant_status(known, verdict=verdict, objects=self._seen.objects, now=self._now)
            case APIKey():
                return tenant.key_status(known, verdict=verdict, now=self._now)

    def _adapter(self, item: Adapter) -> adapter.Observed:
        report = self._seen.agents.get(item.spec.base_model)
        return adapter.Observed(
            tenant=self._owners.get(item.namespace, ""),
            revision=self._seen.revisions[item.key],
            verdict=self._verdicts[item.key],
            replicas=() if report is None else (report,),
            gateways=self._seen.gateways,
            now=self._now,
        )

    def _report(self, item: KnowledgeBase) -> IndexedKnowledgeBase | None:
        if self._seen.ingest is None:
            return None
        return self._seen.ingest.report(self._owners.get(item.namespace, ""), item.name)
