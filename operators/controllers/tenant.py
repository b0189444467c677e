"""Tenant: reserve its namespace; on deletion remove everything it owns, and record the proof."""

from dataclasses import asdict
from datetime import datetime

from contract.conditions import STEADY, Condition, find
from contract.objects import Objects
from contract.resource import Key
from contract.tenant import Tenant
from operators.controllers.backend import Offboarding
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.controllers.stored_object import StoredObject
from operators.reconcile.tenant import tenant_status

# Seconds between checks for a complete removal.
LOOK_S = 1.0


async def reconcile(key: Key, context: Context, now: datetime) -> float | None:
    cache = context.cache
    stored = cache.stored(key, Tenant)
    if stored is None:
        if context.store.is_complete:
            await context.jobs.forget(key.name)
        return None
    if stored.deleting:
        return await _off_board(stored, context)
    verdict = cache.verdict(stored.item, now)
    if verdict.holds and not await context.store.claim_namespace(stored):
        return None
    namespace = stored.item.spec.namespace
    objects = Objects.model_construct(adapters=tuple(cache.adapters(namespace)), fine_tunes=cache.fine_tunes(namespace))
    status = tenant_status(stored.item, verdict=verdict, objects=objects, drift=_drift(stored.item, cache), now=now)
    await context.store.write_status(stored, status)
    return None


def _drift(tenant: Tenant, cache: ClusterCache) -> Condition | None:
    """Before the detector's first report, the stored one."""
    if cache.drift is None:
        return find(tenant.status.conditions, STEADY)
    verdict = cache.drift.get(tenant.name)
    return verdict.condition if verdict else None


async def _off_board(stored: StoredObject[Tenant], context: Context) -> float | None:
    """Deletes the tenant's objects. Indexes, loaded adapters and files of jobs are outside of the object store: the
    off-boarding ends only once they are gone too."""
    cache, tenant = context.cache, stored.item
    owns = cache.owner(tenant.spec.namespace) == tenant.name
    left = [cache.objects[key] for key in cache.in_namespace(tenant.spec.namespace)] if owns else []
    for item in left:
        await context.store.delete(item)
    if owns and (left or _has_adapters(tenant, cache) or _is_indexed(tenant, cache)):
        return LOOK_S
    if owns and not await context.jobs.forget(tenant.name):
        return LOOK_S
    await context.store.finish_offboarding(stored, asdict(_proof(context)) if owns else None)
    return None


def _has_adapters(tenant: Tenant, cache: ClusterCache) -> bool:
    """True if an engine may still have an adapter of the tenant, including draining and silent engines."""
    for peer in (peer for peers in cache.engines.values() for peer in peers.values() if peer.control_url):
        report = cache.report(peer)
        if report is None and (peer.ready or peer.uid in cache.expected):
            return True
        if report and any(name == tenant.name for name, _ in report.entries):
            return True
    return False


def _is_indexed(tenant: Tenant, cache: ClusterCache) -> bool:
    """True if the ingest worker may still have an index of the tenant, as a silent worker may."""
    if not cache.has_ingest:
        return False
    return cache.ingest is None or any(base.tenant == tenant.name for base in cache.ingest.knowledge_bases)


def _proof(context: Context) -> Offboarding:
    cache = context.cache
    runs_jobs = context.jobs.refusal(asks=False) is None
    return Offboarding(
        objects="no object of the tenant is left in the namespace",
        engines="no agent reports an adapter of the tenant",
        index="the ingest worker reports no knowledge base of the tenant"
        if cache.has_ingest
        else "there is no ingest worker",
        jobs="no examples, checkpoint, trained adapter or answer of an evaluation is left"
        if runs_jobs
        else "this installation runs no jobs now; what earlier ones left is on their volume",
    )
