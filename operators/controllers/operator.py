"""The operator: caches that follow the API server, a queue of keys, and one reconcile for each kind.

Caches are kept whether it leads or not, so that another one takes over at once; only the leader acts.
"""

import asyncio
import logging
from datetime import UTC, datetime

from contract.agent import AgentStatus
from contract.names import API_VERSION
from contract.objects import AnyObject
from contract.resource import Key
from kube.client import Client, Item
from kube.informer import Informer
from kube.lease import Lease
from kube.queue import Queue
from kube.resource import (
    AUTOSCALERS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    INFERENCE_SERVICES,
    NAMESPACES,
    NETWORK_POLICIES,
    OURS,
    PODS,
    ROLE_BINDINGS,
    SERVICES,
    Resource,
)
from operators.controllers import adapter, api_key, base_model, knowledge_base, tenant
from operators.controllers.actions import Actions, child_key
from operators.controllers.affected import DRIFT, INGEST, base_key, by_object, by_report, counted_by
from operators.controllers.known import Known, read
from operators.controllers.metrics import Metrics
from operators.controllers.neighbours import Addresses, Neighbours
from operators.controllers.pod import Pod, read_pod
from operators.controllers.world import World
from operators.desired.engine_workload import COMPONENT, MANAGED_BY, NAME, OPERATOR, Platform
from operators.desired.tenant_namespace import TENANT

logger = logging.getLogger(__name__)

# How many adapters a tenant has is said so often at most.
COUNT_S = 1.0

# What the operator makes in its own namespace, and for tenants; all of it carries its label.
OF_PLATFORM = (DEPLOYMENTS, SERVICES, DISRUPTION_BUDGETS, AUTOSCALERS, CONFIG_MAPS)
OF_TENANTS = (NAMESPACES, NETWORK_POLICIES, ROLE_BINDINGS)


class Operator:
    """`documents` is where the tenants' documents lie, as the ingest worker sees it."""

    def __init__(
        self,
        client: Client,
        *,
        platform: Platform,
        addresses: Addresses,
        metrics: Metrics,
        documents: str | None = None,
    ) -> None:
        self._client = client
        self._platform = platform
        self._metrics = metrics
        self._queue: Queue[Key] = Queue(self._reconcile, observe=metrics)
        self._neighbours = Neighbours(
            addresses,
            agent_news=self._on_report,
            gateway_news=lambda: self._look_at(*self._world.waiting),
            ingest_news=lambda: self._look_at(*(key for key in self._world.known if key.kind == "KnowledgeBase")),
            waited_for=lambda: bool(self._world.waiting),
        )
        self._world = World(
            report=self._neighbours.report,
            unheard=self._neighbours.unheard,
            gateway_state=self._neighbours.gateway_state,
            ingest=self._neighbours.ingest,
            documents=documents,
            reserved=platform.namespace,
            asks_ingest=addresses.ingest_url is not None,
        )
        self._act = Actions(
            client,
            self._world,
            platform=platform,
            assume=self._assume,
            look_at=self._look_at,
            tell=self._neighbours.tell,
            index=self._neighbours.index,
            register=self._neighbours.register,
        )
        self._objects = {resource.kind: self._informer(resource) for resource in OURS}
        self._children = {resource.kind: self._child_informer(resource, None) for resource in OF_TENANTS}
        of_platform = (*OF_PLATFORM, INFERENCE_SERVICES) if platform.kserve else OF_PLATFORM
        self._children |= {r.kind: self._child_informer(r, platform.namespace) for r in of_platform}
        self._pods: Informer[Pod] = Informer(
            client,
            PODS,
            read=read_pod,
            on_change=self._on_pod,
            namespace=platform.namespace,
            selector=f"{NAME}=quiver,{COMPONENT} in (engine,gateway)",
        )
        self._leading = False
        metrics.watch(lambda: len(self._queue), lambda: [known.item for known in self._world.known.values()])

    @property
    def synced(self) -> bool:
        """Every cache is full."""
        return all(informer.synced.is_set() for informer in self._informers)

    @property
    def _informers(self) -> tuple["Informer[Known[AnyObject]] | Informer[Item] | Informer[Pod]", ...]:
        return (*self._objects.values(), *self._children.values(), self._pods)

    async def run(self, lease: Lease) -> None:
        """Until cancelled, or LeaseLost."""
        async with asyncio.TaskGroup() as group:
            followers = [group.create_task(informer.run()) for informer in self._informers]
            for informer in self._informers:
                await informer.synced.wait()
            logger.info("all caches are full: %d objects", len(self._world.known))
            try:
                await lease.lead(self._lead)
            finally:
                for follower in followers:
                    follower.cancel()

    async def _lead(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._neighbours.run())
            await asyncio.sleep(0)  # it has its session now
            self._leading = True
            self._metrics.lead()
            self._meet()
            await self._neighbours.first_words()
            self._look_at(*self._world.known, INGEST, DRIFT)
            group.create_task(self._queue.run())

    # What has changed ----------------------------------------------------------------------------------------

    def _informer(self, resource: Resource) -> Informer[Known[AnyObject]]:
        return Informer(self._client, resource, read=read, on_change=self._on_object)

    def _child_informer(self, resource: Resource, namespace: str | None) -> Informer[Item]:
        selector = f"{MANAGED_BY}={OPERATOR}"
        return Informer(
            self._client,
            resource,
            read=_slim,
            on_change=self._on_child,
            namespace=namespace,
            selector=selector,
            optional=resource is INFERENCE_SERVICES,
        )

    def _assume(self, item: Item) -> None:
        (self._objects.get(item["kind"]) or self._children[item["kind"]]).assume(item)

    def _on_object(self, before: Known[AnyObject] | None, after: Known[AnyObject] | None) -> None:
        self._world.see(before, after)
        self._look_at(*by_object(self._world, before, after))
        tenant = counted_by(self._world, before, after)
        if tenant and self._leading:
            self._queue.add_later(tenant, COUNT_S)

    def _on_child(self, before: Item | None, after: Item | None) -> None:
        if after:
            self._world.children[child_key(after)] = after
        elif before:
            self._world.children.pop(child_key(before), None)
        for item in filter(None, (before, after)):  # whose it was is to put it right
            ours = (r for r in item["metadata"].get("ownerReferences") or () if r["apiVersion"] == API_VERSION)
            for reference in ours:
                self._look_at(Key(kind=reference["kind"], namespace=None, name=reference["name"]))
            tenant = (item["metadata"].get("labels") or {}).get(TENANT)
            if tenant:
                self._look_at(Key(kind="Tenant", namespace=None, name=tenant))

    def _on_pod(self, before: Pod | None, after: Pod | None) -> None:
        self._world.see_pod(before, after)
        if self._leading:
            self._meet()
        for pod in (before, after):
            if pod and pod.base:
                self._look_at(base_key(pod.base), *(a.key for a in self._world.adapters_of(pod.base)))
            elif pod:
                self._look_at(*self._world.waiting)

    def _on_report(self, base: str, before: AgentStatus | None, after: AgentStatus | None) -> None:
        self._look_at(*by_report(self._world, base, before, after))

    def _meet(self) -> None:
        engines = (pod for pods in self._world.engines.values() for pod in pods.values())
        self._neighbours.meet(engines, self._world.gateways.values())

    def _look_at(self, *keys: Key) -> None:
        if self._leading:
            for key in keys:
                self._queue.add(key)

    # What is done about it -----------------------------------------------------------------------------------

    async def _reconcile(self, key: Key) -> float | None:
        world, act, now = self._world, self._act, datetime.now(UTC)
        match key.kind:
            case "Adapter":
                return await adapter.reconcile(key, world, act, now)
            case "BaseModel":
                await base_model.reconcile(key, world, act, now)
            case "Tenant":
                return await tenant.reconcile(key, world, act, now)
            case "APIKey":
                return await api_key.reconcile(key, world, act, now)
            case "KnowledgeBase":
                await knowledge_base.reconcile(key, world, act, now)
            case "Ingest":
                knowledge_base.tell_ingest(world, act, now)
            case "Drift":
                knowledge_base.tell_drift(world, act, now)
        return None


_IGNORED = ("managedFields", "resourceVersion", "annotations")
# How KServe is to run it.
_KEPT = "serving.kserve.io/"


def _slim(item: Item) -> Item:
    """Without what is compared with nothing, and changes all the time."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _IGNORED}
    annotations = item["metadata"].get("annotations") or {}
    metadata |= {"annotations": kept} if (kept := {k: v for k, v in annotations.items() if k.startswith(_KEPT)}) else {}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata}
