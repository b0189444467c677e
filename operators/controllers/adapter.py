"""Adapter: release its versions, and say how far they are."""

from datetime import datetime

from contract.adapter import Adapter, AdapterStatus
from contract.conditions import stamp
from contract.resource import Key
from operators.controllers.actions import Actions
from operators.controllers.affected import base_key
from operators.controllers.world import World, bases_of
from operators.desired.adapters import source_revision
from operators.reconcile.adapter import next_status
from operators.reconcile.release import Observed

# A canary's time and its evidence come by themselves.
CANARY_S = 1.0
# A Secret that an adapter names is read again this often, one that is missing sooner.
SECRET_S = 60.0
MISSING_SECRET_S = 5.0


async def reconcile(key: Key, world: World, act: Actions, now: datetime) -> float | None:
    known = world.known.get(key)
    if known is None or not isinstance(known.item, Adapter):
        world.waiting.discard(key)
        world.credentials.pop(key, None)
        world.secrets_read.discard(key)
        return None
    if world.verdict(known.item, now).holds:
        act.look_at(*await _read_secret(known.item, world, act))
    status = next_status(known.item, _observed(known.item, world, now))
    await act.status(known, status)
    _wait_for_gateways(key, status, world)
    return CANARY_S if status.canary else _secret_due(known.item, world)


async def _read_secret(adapter: Adapter, world: World, act: Actions) -> set[Key]:
    """The base models that have to be told of what has changed."""
    name, before = adapter.spec.credentials, world.credentials.get(adapter.key)
    found = await act.secret(adapter.namespace, name) if name else None
    first = bool(name) and adapter.key not in world.secrets_read
    world.secrets_read.add(adapter.key)
    if found is None:
        world.credentials.pop(adapter.key, None)
    else:
        world.credentials[adapter.key] = found
    return {base_key(base) for base in bases_of(adapter)} if first or found != before else set()


def _secret_due(adapter: Adapter, world: World) -> float | None:
    if not adapter.spec.credentials:
        return None
    return SECRET_S if adapter.key in world.credentials else MISSING_SECRET_S


def _observed(adapter: Adapter, world: World, now: datetime) -> Observed:
    tenant = world.owner(adapter.namespace) or ""
    known, base = world.known[adapter.key], world.base_model(adapter.spec.base_model)
    return Observed(
        tenant=tenant,
        revision=source_revision(adapter),
        verdict=world.verdict(adapter, now),
        replicas=world.serving_adapter(adapter.spec.base_model, tenant, adapter.name),
        gateways=world.gateways_for(tenant, adapter.name),
        now=stamp(now),
        decision=known.decision,
        unplaced=world.unplaced.get(adapter.key),
        base_names=(base.name, *base.spec.names) if base else (),
    )


def _wait_for_gateways(key: Key, status: AdapterStatus, world: World) -> None:
    if (status.active and not status.routed) or status.draining or status.canary:
        world.waiting.add(key)
    else:
        world.waiting.discard(key)
