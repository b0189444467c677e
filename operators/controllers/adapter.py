"""Adapter: release its versions, and report their progress."""

from datetime import datetime

from contract.adapter import Adapter, AdapterStatus
from contract.base_model import BaseModel
from contract.conditions import ON_ITS_WAY, RESIDENT, Condition, find, stamp
from contract.resource import Key
from operators.controllers.cache import ClusterCache, bases_of
from operators.controllers.context import Context
from operators.controllers.events import base_key
from operators.desired.residents import on_demand
from operators.reconcile import scale_to_zero
from operators.reconcile.adapter import next_status
from operators.reconcile.release import Observed
from operators.reconcile.scale_to_zero import was_at_zero

# Seconds between reconciles of a canary: no event announces the end of a step or new evidence.
CANARY_S = 1.0
# Seconds that a new adapter may take to become Ready before its status says that it is on its way.
FIRST_STATUS_S = 0.3
# Seconds between reads of a Secret, shorter for a missing one.
SECRET_S = 60.0
MISSING_SECRET_S = 5.0


async def reconcile(key: Key, context: Context, now: datetime) -> float | None:
    cache = context.cache
    stored = cache.stored(key, Adapter)
    if stored is None:
        cache.awaiting_gateways.discard(key)
        cache.credentials.pop(key, None)
        cache.secrets_read.discard(key)
        cache.new_since.pop(key, None)
        return None
    if cache.verdict(stored.item, now).holds:
        context.events.enqueue(await _read_secret(stored.item, context))
    resolved = cache.resolved(stored.item)
    status = _next_status(resolved, context, now)
    if wait_s := _first_status_due(stored.item, status, cache, now):
        return wait_s
    await context.store.write_status(stored, status)
    _wait_for_gateways(key, status, cache)
    return CANARY_S if status.canary else _secret_due(stored.item, cache)


def _next_status(adapter: Adapter, context: Context, now: datetime) -> AdapterStatus:
    cache = context.cache
    base, verdict = cache.base_model(adapter.spec.base_model), cache.verdict(adapter, now)
    if base and adapter.status.active and verdict.holds and _is_at_zero(adapter, base, cache):
        return scale_to_zero.of_adapter(adapter, verdict, stamp(now))
    return next_status(adapter, _observed(adapter, context, now))


def _is_at_zero(adapter: Adapter, base: BaseModel, cache: ClusterCache) -> bool:
    """True if no engine runs because nobody asked, or the first one is on its way."""
    if cache.is_scaled_to_zero(base):
        return not cache.replicas(base.name)
    starts = base.spec.scales_to_zero and was_at_zero(adapter.status.conditions) and was_at_zero(base.status.conditions)
    return starts and not cache.serves(base.name)


def _first_status_due(adapter: Adapter, status: AdapterStatus, cache: ClusterCache, now: datetime) -> float | None:
    """Seconds until the first status of a new adapter is due, if it says only that the adapter is on its way: most are
    Ready before, and cost one write less."""
    is_on_its_way = all(each.holds or each.reason in ON_ITS_WAY for each in status.conditions)
    if adapter.status.conditions or status.active or not is_on_its_way:
        cache.new_since.pop(adapter.key, None)
        return None
    age = (now - cache.new_since.setdefault(adapter.key, now)).total_seconds()
    return FIRST_STATUS_S - age if 0 <= age < FIRST_STATUS_S else None


async def _read_secret(adapter: Adapter, context: Context) -> set[Key]:
    """Reads the Secret into the cache. Returns the base models to reconcile if it changed."""
    cache = context.cache
    name, before = adapter.spec.credentials, cache.credentials.get(adapter.key)
    secret = await context.store.secret(adapter.namespace, name) if name else None
    first = bool(name) and adapter.key not in cache.secrets_read
    cache.secrets_read.add(adapter.key)
    if secret is None:
        cache.credentials.pop(adapter.key, None)
    else:
        cache.credentials[adapter.key] = secret
    return {base_key(base) for base in bases_of(adapter)} if first or secret != before else set()


def _secret_due(adapter: Adapter, cache: ClusterCache) -> float | None:
    if not adapter.spec.credentials:
        return None
    return SECRET_S if adapter.key in cache.credentials else MISSING_SECRET_S


def _observed(adapter: Adapter, context: Context, now: datetime) -> Observed:
    cache = context.cache
    tenant = cache.owner(adapter.namespace) or ""
    stored, base = cache.objects[adapter.key], cache.base_model(adapter.spec.base_model)
    return Observed(
        tenant=tenant,
        revision=context.store.revision(adapter),
        verdict=cache.verdict(adapter, now),
        replicas=cache.serving_adapter(adapter.spec.base_model, tenant, adapter.name),
        gateways=cache.gateways_for(tenant, adapter.name),
        now=stamp(now),
        decision=stored.decision,
        unplaced=cache.unplaced.get(adapter.key),
        base_names=(base.name, *base.spec.names) if base else (),
        gateway_down="gateway" in cache.down,
        on_demand=_on_demand(adapter, base, (tenant, adapter.name), cache),
    )


def _on_demand(
    adapter: Adapter, base: BaseModel | None, name: tuple[str, str], cache: ClusterCache
) -> Condition | None:
    """As stored until the places of its base model are decided: a start of the operator changes nothing."""
    places = cache.on_demand.get(adapter.spec.base_model)
    if base is None or places is None:
        return find(adapter.status.conditions, RESIDENT)
    return on_demand(adapter, base) if name in places else None


def _wait_for_gateways(key: Key, status: AdapterStatus, cache: ClusterCache) -> None:
    if (status.active and not status.routed) or status.draining or status.canary:
        cache.awaiting_gateways.add(key)
    else:
        cache.awaiting_gateways.discard(key)
