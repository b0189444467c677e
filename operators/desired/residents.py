"""Versions with a place in an engine's memory, when there is room for fewer than are desired (pure).

An engine lists every desired version, has `cpuSlots` of them in memory, and loads another one when a request asks for
it. The places are shared fairly: in each round every tenant gets one for its next version, so that a tenant alone on
its base model may have all of them, and gives them back to a new one. `slots` places are left for a batch of versions
without a place.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence, Set

from contract import conditions as c
from contract.adapter import Adapter
from contract.agent import AdapterName, DesiredAdapter, VersionName, verified_revision
from contract.base_model import BaseModel, Lora
from contract.conditions import Condition, condition
from contract.rendezvous import ranked


def residents(
    items: Sequence[DesiredAdapter],
    adapters: Mapping[AdapterName, Adapter],
    lora: Lora,
    pins: Mapping[str, int],
    elsewhere: Set[AdapterName] = frozenset(),
) -> frozenset[VersionName] | None:
    """None if there is room for all `items`. `pins` are the numbers of adapters that tenants may pin; adapters
    `elsewhere` are kept by other engines.

    Active versions of pinned adapters come first; active versions before canaries and candidates, and these before
    earlier versions. A candidate of the active content is the same version.
    """
    versions = [item for item in items if not _is_active_again(item, adapters.get(_adapter(item)))]
    if len(versions) <= lora.cpu_slots:
        return None
    pinned = _pinned(adapters, pins)
    wanted = [
        item for item in versions if _adapter(item) not in elsewhere and not _is_on_demand(adapters.get(_adapter(item)))
    ]
    turns: Counter[tuple[str, bool, int]] = Counter()
    order: list[tuple[bool, int, int, VersionName]] = []
    for item in sorted(wanted, key=lambda each: each.version_name):
        tier = _tier(item, adapters.get(_adapter(item)))
        group = (item.tenant, tier > 0 or _adapter(item) not in pinned, tier)
        order.append((*group[1:], turns[group], item.version_name))
        turns[group] += 1
    return frozenset(name for *_, name in sorted(order)[: lora.cpu_slots - lora.slots])


def kept_elsewhere(url: str, urls: Collection[str], adapters: Mapping[AdapterName, Adapter]) -> Set[AdapterName]:
    """Adapters that ask for some engines alone, and not for the one at `url`. `urls` are those of all engines."""
    return frozenset(
        name
        for name, adapter in adapters.items()
        if (replicas := adapter.spec.residency.replicas) and url not in ranked(urls, ".".join(name))[:replicas]
    )


def _adapter(item: DesiredAdapter) -> AdapterName:
    return (item.tenant, item.adapter)


def _is_active_again(item: DesiredAdapter, adapter: Adapter | None) -> bool:
    """True of a candidate whose source is the active version's: it has the same name in the engine."""
    if adapter is None or item.is_verified:
        return False
    active = adapter.status.active
    return active is not None and not active.is_base and active.source == adapter.spec.source


def _is_on_demand(adapter: Adapter | None) -> bool:
    return adapter is not None and adapter.spec.residency.mode == "OnDemand"


def _pinned(adapters: Mapping[AdapterName, Adapter], pins: Mapping[str, int]) -> Set[AdapterName]:
    """The first pinned adapters of each tenant, by name, as many as it may pin."""
    named: dict[str, list[str]] = defaultdict(list)
    for (tenant, name), adapter in adapters.items():
        if adapter.spec.residency.pinned:
            named[tenant].append(name)
    return {(tenant, name) for tenant, names in named.items() for name in sorted(names)[: pins.get(tenant, 0)]}


def _tier(item: DesiredAdapter, adapter: Adapter | None) -> int:
    """0 for active versions, 2 for earlier ones."""
    if item.required:
        return 0
    previous = adapter.status.previous if adapter else ()
    return 2 if item.revision in {verified_revision(version.content_digest) for version in previous} else 1


def on_demand(adapter: Adapter, base: BaseModel) -> Condition:
    """The condition of an adapter whose active version has no place in the memory of some engine."""
    if replicas := adapter.spec.residency.replicas:
        message = f"in the memory of {replicas} replicas, as far as there is room; requests go there first"
        return condition(c.RESIDENT, True, c.ON_SOME_REPLICAS, message)
    if adapter.spec.residency.mode == "OnDemand":
        message = "loaded into the engines' memory when a request asks for it"
    else:
        places = base.spec.lora.cpu_slots
        message = (
            f"it answers, and is loaded when a request asks for it: the {places} places in memory (lora.cpuSlots of "
            f"base model {base.name}) are shared among its tenants; raise lora.cpuSlots to have more"
        )
    return condition(c.RESIDENT, False, c.ON_DEMAND, message)
