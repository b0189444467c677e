"""The operator of a cluster: caches following the API server, and the controllers, run by the leader only.

Standbys keep their caches full, so a standby takes over at once.
"""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

import aiohttp

from contract.names import API_VERSION
from contract.objects import AnyObject
from contract.resource import Key
from contract.tenant import Tenant
from kube.client import Client, Item
from kube.errors import KubeError
from kube.informer import Informer
from kube.lease import Lease
from kube.queue import Queue
from kube.resource import (
    ADAPTER_SLICES,
    AUTOSCALERS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    INFERENCE_SERVICES,
    NAMESPACES,
    NETWORK_POLICIES,
    OURS,
    PODS,
    QUOTAS,
    ROLE_BINDINGS,
    SERVICES,
    Resource,
)
from operators.cluster.children import Children
from operators.cluster.engines import ClusterEngines
from operators.cluster.jobs import ClusterJobs
from operators.cluster.metrics import Metrics
from operators.cluster.model_caches import ModelCaches
from operators.cluster.pod import Ports, read_pod
from operators.cluster.store import ClusterStore
from operators.cluster.stored import read, read_slice
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.controllers.controller import reconciler
from operators.controllers.events import SLICES, Events
from operators.controllers.peer import Peer
from operators.controllers.peer_watcher import Addresses, PeerWatcher
from operators.controllers.slice_index import StoredSlice
from operators.controllers.stored_object import StoredObject
from operators.desired.engine_workload import COMPONENT, MANAGED_BY, NAME, OPERATOR, Platform
from operators.desired.tenant_namespace import TENANT, Account

logger = logging.getLogger(__name__)

# Kinds created in the operator's namespace, and for tenants. All objects carry the operator's label.
OF_PLATFORM = (DEPLOYMENTS, SERVICES, DISRUPTION_BUDGETS, AUTOSCALERS, CONFIG_MAPS)
OF_TENANTS = (NAMESPACES, NETWORK_POLICIES, ROLE_BINDINGS)


_AnyInformer = Informer[StoredObject[AnyObject]] | Informer[StoredSlice] | Informer[Item] | Informer[Peer]


class Operator:
    """`documents` is the ingest worker's path to the tenants' documents; `management_account` is the management API's
    service account; `delegation_secret` signs what evaluations ask the gateway with; `tenant_quotas` bounds the objects
    of each tenant."""

    def __init__(
        self,
        client: Client,
        *,
        platform: Platform,
        ports: Ports,
        addresses: Addresses,
        metrics: Metrics,
        documents: str | None = None,
        management_account: str | None = None,
        delegation_secret: str = "",
        tenant_quotas: bool = False,
    ) -> None:
        self._delegation_secret = delegation_secret
        self.acted = asyncio.Event()
        """Set once everything was looked at by this operator as the leader."""
        self._client = client
        self._platform = platform
        self._addresses = addresses
        self._metrics = metrics
        self._queue: Queue[Key] = Queue(observe=metrics)
        self._cache = ClusterCache(
            documents=documents,
            reserved=platform.namespace,
            has_ingest=addresses.ingest_url is not None,
            trainings=platform.trainings,
        )
        self._events = Events(self._cache, self._queue.add, self._queue.add_later)
        self._children = Children(client, self._assume)
        self._store = ClusterStore(
            client,
            self._children,
            assume=self._assume,
            is_complete=lambda: all(informer.complete for informer in self._objects.values()),
            namespace=platform.namespace,
            management=Account(platform.namespace, management_account) if management_account else None,
            tenant_quotas=tenant_quotas,
        )
        self._engines = ClusterEngines(self._children, ModelCaches(client, platform), platform)
        self._objects = {resource.kind: self._informer(resource) for resource in OURS}
        self._slices = Informer(
            client, ADAPTER_SLICES, read=read_slice, on_change=self._events.slice_changed, cached_first=True
        )
        of_tenants = (*OF_TENANTS, QUOTAS) if tenant_quotas else OF_TENANTS
        self._child_informers = {resource.kind: self._child_informer(resource, None) for resource in of_tenants}
        of_platform = (*OF_PLATFORM, INFERENCE_SERVICES) if platform.kserve else OF_PLATFORM
        self._child_informers |= {r.kind: self._child_informer(r, platform.namespace) for r in of_platform}
        self._pods: Informer[Peer] = Informer(
            client,
            PODS,
            read=partial(read_pod, ports=ports),
            on_change=self._events.peer_changed,
            namespace=platform.namespace,
            selector=f"{NAME}=quiver,{COMPONENT} in (engine,gateway)",
        )
        metrics.watch(lambda: len(self._queue), lambda: [stored.item for stored in self._cache.objects.values()])

    @property
    def synced(self) -> bool:
        """Every cache is full."""
        return all(informer.synced.is_set() for informer in self._informers)

    @property
    def _informers(self) -> tuple[_AnyInformer, ...]:
        return (*self._objects.values(), self._slices, *self._child_informers.values(), self._pods)

    async def run(self, lease: Lease) -> None:
        """Runs until cancelled. Raises LeaseLost, in an exception group."""
        async with asyncio.TaskGroup() as group:
            followers = [group.create_task(informer.run()) for informer in self._informers]
            for informer in self._informers:
                await informer.synced.wait()
            logger.info("all caches are full: %d objects", len(self._cache.objects))
            try:
                await lease.lead(self._lead)
            finally:
                for follower in followers:
                    follower.cancel()

    async def _lead(self) -> None:
        every_peer = aiohttp.TCPConnector(limit=0)  # each agent keeps a connection with its long poll
        async with aiohttp.ClientSession(connector=every_peer) as session, asyncio.TaskGroup() as group:
            peers = PeerWatcher(session, group, self._addresses, self._events)
            self._metrics.lead()
            await peers.first_reports()
            self._events.enqueue_everything()
            jobs = ClusterJobs(self._client, self._platform, self._delegation_secret)
            around = Context(self._cache, self._events, self._store, self._engines, jobs, peers)
            group.create_task(self._sweep(jobs))
            group.create_task(peers.run())
            group.create_task(self._queue.run(reconciler(around)))
            await self._queue.emptied()
            self.acted.set()

    async def _sweep(self, jobs: ClusterJobs) -> None:
        """Jobs of objects deleted while no operator led. A fault of it is no reason not to lead."""
        try:
            if self._store.is_complete and self._platform.trainings:
                await jobs.sweep(list(self._cache.objects))
        except KubeError as error:
            logger.warning("jobs of deleted objects are not looked for: %s", error)

    # What has changed ----------------------------------------------------------------------------------------

    def _informer(self, resource: Resource) -> Informer[StoredObject[AnyObject]]:
        return Informer(self._client, resource, read=read, on_change=self._events.object_changed, cached_first=True)

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
        informers: Mapping[str, _AnyInformer] = {SLICES: self._slices, **self._objects, **self._child_informers}
        informers[item["kind"]].assume(item)

    def _on_child(self, before: Item | None, after: Item | None) -> None:
        self._children.set(before, after)
        for item in filter(None, (before, after)):  # reconcile the owner
            ours = (r for r in item["metadata"].get("ownerReferences") or () if r["apiVersion"] == API_VERSION)
            self._events.enqueue(Key(kind=r["kind"], namespace=None, name=r["name"]) for r in ours)
            if tenant := (item["metadata"].get("labels") or {}).get(TENANT):
                self._events.enqueue([Key(kind=Tenant.__name__, namespace=None, name=tenant)])


_IGNORED = ("managedFields", "resourceVersion", "annotations")
# The prefix of annotations for KServe, which are compared.
_KEPT = "serving.kserve.io/"


def _slim(item: Item) -> Item:
    """Drops the status and volatile metadata, which are never compared."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _IGNORED}
    annotations = item["metadata"].get("annotations") or {}
    metadata |= {"annotations": kept} if (kept := {k: v for k, v in annotations.items() if k.startswith(_KEPT)}) else {}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata}
