"""A change → the keys that have to be looked at again (pure).

No key says what to do: it says where to look.
"""

from collections.abc import Iterator

from contract import conditions as c
from contract.adapter import Adapter
from contract.agent import AgentStatus
from contract.api_key import APIKey
from contract.base_model import BaseModel
from contract.knowledge_base import KnowledgeBase
from contract.objects import AnyObject
from contract.resource import Key
from contract.tenant import Tenant
from operators.controllers.known import Known
from operators.controllers.world import World, bases_of, by_adapter

# What one worker or detector is told about all tenants.
INGEST = Key(kind="Ingest", namespace=None, name="")
DRIFT = Key(kind="Drift", namespace=None, name="")


def by_object(world: World, before: Known[AnyObject] | None, after: Known[AnyObject] | None) -> set[Key]:
    """After the world has seen it. What only status says is a matter of the object itself, and of whoever asks it."""
    items = [known.item for known in (before, after) if known]
    found = {item.key for item in items}
    changed = (
        len(items) == 1 or items[0].spec != items[1].spec or items[0].status.conditions != items[1].status.conditions
    )
    for item in items if changed else ():
        found |= set(_others(world, item))
    return found | _bases(items) | set(_newly_published(world, items))


def counted_by(world: World, before: Known[AnyObject] | None, after: Known[AnyObject] | None) -> Key | None:
    """The tenant that has an adapter more or less. It says so, and nothing depends on it."""
    item = (before or after).item if before is None or after is None else None  # type: ignore[union-attr]
    tenant = world.tenant(world.owner(item.namespace) or "") if isinstance(item, Adapter) else None
    return tenant.key if tenant else None


def _bases(items: list[AnyObject]) -> set[Key]:
    """The base models whose replicas may have to hold something else: what people are told of an adapter is no matter
    of theirs."""
    adapters = [item for item in items if isinstance(item, Adapter)]
    if len({_held_for(adapter) for adapter in adapters}) == 1 and len(adapters) == 2:
        return set()
    return {base_key(base) for adapter in adapters for base in bases_of(adapter)}


def _held_for(adapter: Adapter) -> str:
    """All of an adapter that `operators.desired.adapters.place` looks at, in one word."""
    status = adapter.status
    accepted = c.find(status.conditions, c.ACCEPTED)
    parts = (adapter.spec, status.active, status.canary, *status.previous, status.rejected, accepted)
    return "\n".join(part.model_dump_json() if part else "" for part in parts)


def _newly_published(world: World, items: list[AnyObject]) -> Iterator[Key]:
    """Adapters of which a base model says since now where a version is."""
    holds: list[set[str]] = [
        {f"{endpoint.name}/{name}" for endpoint in item.status.endpoints for name in endpoint.holds}
        for item in items
        if isinstance(item, BaseModel)
    ]
    changed = holds[0] ^ holds[1] if len(holds) == 2 else set[str]()
    names = (entry.partition("/")[2].split(".") for entry in changed)
    yield from _keys(world, {(tenant, adapter) for tenant, adapter, _ in names})


def _others(world: World, item: AnyObject) -> Iterator[Key]:
    match item:
        case Adapter():
            yield from _neighbours(world, item)
        case Tenant():
            namespace = item.spec.namespace
            yield from (tenant.key for tenant in world.claims(namespace))
            yield from world.in_namespace(namespace)
            yield from (INGEST, DRIFT)
        case BaseModel():
            yield from (adapter.key for adapter in world.adapters_of(item.name))
            yield from (key for key in world.known if key.kind == "Adapter" and key.name == item.name)
        case KnowledgeBase():
            yield INGEST
            adapters = world.adapters(item.namespace)
            yield from (a.key for a in adapters if item.name in a.spec.knowledge_bases)
        case APIKey():
            yield from world.keys_with(item.namespace, item.spec.sha256)


def _neighbours(world: World, adapter: Adapter) -> Iterator[Key]:
    """Where the tenant has too many, another one's turn may have come or gone."""
    tenant = world.tenant(world.owner(adapter.namespace) or "")
    if tenant is None:
        return
    others = world.adapters(adapter.namespace)
    if len(others) >= tenant.spec.max_adapters:
        yield from (other.key for other in others)


def by_report(world: World, base: str, before: AgentStatus | None, after: AgentStatus | None) -> set[Key]:
    """Adapters of which a replica says something else, or all where it has come, gone, or changed its readiness."""
    old, new = by_adapter(before), by_adapter(after)
    if (before and before.ready) != (after and after.ready):
        changed = old.keys() | new.keys()
        return {base_key(base), *(adapter.key for adapter in world.adapters_of(base)), *_keys(world, changed)}
    changed = {place for place in old.keys() | new.keys() if old.get(place) != new.get(place)}
    return {base_key(base), *_keys(world, changed)} if changed else set()


def _keys(world: World, places: set[tuple[str, str]]) -> Iterator[Key]:
    for tenant, name in places:
        owner = world.tenant(tenant)
        if owner:
            yield Key(kind="Adapter", namespace=owner.spec.namespace, name=name)


def base_key(name: str) -> Key:
    return Key(kind="BaseModel", namespace=None, name=name)
