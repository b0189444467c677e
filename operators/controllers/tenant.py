"""Tenant: make its namespace its own; when it goes, delete all that is its own, and record that it is gone."""

from datetime import datetime

from contract.conditions import stamp
from contract.objects import AnyObject, Objects
from contract.resource import Key
from contract.tenant import Tenant
from operators.controllers.actions import Actions
from operators.controllers.known import Known
from operators.controllers.world import World
from operators.desired.engine_workload import MANAGED_BY, OPERATOR, Manifest
from operators.desired.tenant_namespace import tenant_namespace
from operators.reconcile.tenant import tenant_status

# Documents, indexes and adapters lie outside of Kubernetes: a tenant is gone only once they are.
FINALIZER = "quiver.dev/offboarding"
# Between looks at whether all is gone.
LOOK_S = 1.0


async def reconcile(key: Key, world: World, act: Actions, now: datetime) -> float | None:
    known = world.known.get(key)
    if known is None or not isinstance(known.item, Tenant):
        return None
    if known.deleting:
        return await _off_board(known, known.item, world, act, now)
    verdict = world.verdict(known.item, now)
    if verdict.holds:
        if FINALIZER not in known.finalizers:
            await act.finalizers(known, (*known.finalizers, FINALIZER))
            return None  # what that has changed comes back
        await act.apply(tenant_namespace(known.item, uid=known.uid))
    objects = Objects.model_construct(adapters=tuple(world.adapters(known.item.spec.namespace)))
    await act.status(known, tenant_status(known.item, verdict=verdict, objects=objects, now=stamp(now)))
    return None


async def _off_board(
    known: Known[AnyObject], tenant: Tenant, world: World, act: Actions, now: datetime
) -> float | None:
    if FINALIZER not in known.finalizers:
        return None
    owns = world.owner(tenant.spec.namespace) == tenant.name
    left = [world.known[key] for key in world.in_namespace(tenant.spec.namespace)] if owns else []
    for item in left:
        await act.delete(item)
    if owns and (left or _held(tenant, world) or _indexed(tenant, world)):
        return LOOK_S
    if owns:
        await act.apply([_proof(tenant, act, now, asked=world.asks_ingest)])
    await act.finalizers(known, (name for name in known.finalizers if name != FINALIZER))
    return None


def _held(tenant: Tenant, world: World) -> bool:
    """Whether an engine may have an adapter of the tenant still: also one that drains, and one that is silent."""
    for pod in (pod for pods in world.engines.values() for pod in pods.values() if pod.address):
        report = world.report(pod.uid)
        if report is None and (pod.ready or world.unheard(pod.uid)):
            return True
        if report and any(held.tenant == tenant.name for held in report.adapters):
            return True
    return False


def _indexed(tenant: Tenant, world: World) -> bool:
    """A worker that is silent may have it still."""
    if not world.asks_ingest:
        return False
    status = world.ingest()
    return status is None or any(base.tenant == tenant.name for base in status.knowledge_bases)


def _proof(tenant: Tenant, act: Actions, now: datetime, *, asked: bool) -> Manifest:
    """Of a second tenant of the same name the newer proof stays."""
    metadata = {
        "name": f"offboarded-{tenant.name}",
        "namespace": act.platform.namespace,
        "labels": {MANAGED_BY: OPERATOR},
    }
    data = {
        "tenant": tenant.name,
        "namespace": tenant.spec.namespace,
        "at": stamp(now),
        "objects": "no Adapter, KnowledgeBase or APIKey is left in the namespace",
        "engines": "no agent reports an adapter of the tenant",
        "index": "the ingest worker reports no knowledge base of the tenant" if asked else "there is no ingest worker",
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
