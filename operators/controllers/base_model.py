"""BaseModel: run its engines, push desired adapters to their agents, report readiness."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from functools import partial

from contract import conditions as c
from contract.acceptance import owners
from contract.agent import AdapterName, DesiredAdapter, VersionName
from contract.base_model import BaseModel
from contract.conditions import Condition, condition, stamp
from contract.resource import Key
from operators.controllers.backend import RuntimeRefusal
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.controllers.events import base_key
from operators.controllers.placements import Decision, Placed, Placements, State
from operators.controllers.stored_object import StoredObject
from operators.desired.adapters import fill_slots
from operators.desired.desired_items import DesiredItems, Items
from operators.desired.pilot import pilots
from operators.desired.replica_report import ReplicaReport
from operators.desired.residents import kept_elsewhere, residents
from operators.reconcile.base_model import next_status
from operators.reconcile.scale_to_zero import Use, needs_engines, waits_for_engine, was_at_zero

# Seconds between looks whether an engine is still needed.
IDLE_LOOK_S = 2.0
# Seconds between tries to run a spec while memory is short.
WAIT_S = 5.0
# The uid of an empty replica that the reasons for unplaced adapters come from, if there is none.
_IMAGINED = ""


async def reconcile(key: Key, context: Context, now: datetime) -> float | None:
    stored = context.cache.stored(key, BaseModel)
    if stored is None:
        context.cache.awaiting_gateways.discard(key)
        context.cache.placements.pop(key.name, None)
        context.cache.on_demand.pop(key.name, None)
        context.cache.scaled_to_zero.pop(key.name, None)
        context.cache.last_request.pop(key.name, None)
        await context.engines.remove(key.name)
        return None
    verdict = context.engines.refusal(stored.item) or context.cache.verdict(stored.item, now)
    refusal: RuntimeRefusal | None = None
    needed = _needs_engines(stored.item, context.cache, now)
    if context.cache.scaled_to_zero.get(key.name, False) == needed:
        context.cache.scaled_to_zero[key.name] = not needed
        context.events.enqueue(context.cache.keys_of(key.name))
    if verdict.holds:
        try:
            await context.engines.run(stored, needed=needed)
        except RuntimeRefusal as error:  # running engines go on answering, and still get their desired sets
            refusal = error
            verdict = condition(c.ACCEPTED, False, c.NOT_APPLIED, f"its engines cannot be created: {error}")
    else:
        await context.engines.scale(stored, needed=needed)
    context.events.enqueue(_fill_replicas(stored.item, context, now))
    await _write_status(stored, verdict, context, now)
    if refusal:
        raise refusal.__cause__ or refusal
    if context.engines.waiting_reason(key.name):
        return WAIT_S
    return IDLE_LOOK_S if stored.item.spec.scales_to_zero else None


def _needs_engines(base: BaseModel, cache: ClusterCache, now: datetime) -> bool:
    if not base.spec.scales_to_zero:
        return True
    rules, runs, serves = cache.rules(now), bool(cache.replicas(base.name)), cache.serves(base.name)
    waits = not base.status.conditions or any(
        waits_for_engine(cache.resolved(adapter), cache.objects[adapter.key].decision)
        for adapter in cache.adapters_of(base.name)
        if cache.cached_verdict(adapter, rules).holds
    )
    if waits or (runs and (not serves or base.name not in cache.last_request)):
        cache.last_request[base.name] = now
    use = Use(
        runs=runs,
        serves=serves,
        idle_s=cache.idle_s(base.name, now),
        certain=cache.has_heard_all_gateways(now),
        is_waited_for=waits,
        was_needed=not cache.is_scaled_to_zero(base),
    )
    return needs_engines(base, use)


def _fill_replicas(base: BaseModel, context: Context, now: datetime) -> set[Key]:
    """Pushes the desired set to every replica. Returns the adapters with a changed reason for not being placed. If
    there are no replicas, the reasons are those of an imagined empty one."""
    cache = context.cache
    last = cache.placements[base.name]
    _touch_leaving(last, cache)
    reports = {peer.uid: report for peer, report in cache.replicas(base.name)} or {_IMAGINED: None}
    states = {uid: State(report is not None, bool(report and report.ready)) for uid, report in reports.items()}
    try:
        placed = last.next(
            (base.spec, cache.judged),
            states,
            room=base.spec.lora.versions,
            name=cache.adapter_name,
            decide=partial(_decide, base, context, now, reports),
        )
    except _SecretUnreadError:
        return set()  # a desired set must be complete; reading the last Secret enqueues this base model again
    sets = _with_residents(base, cache, placed)
    for uid in sets.keys() - {_IMAGINED}:
        context.peers.push_desired(uid, sets[uid])
    (cache.awaiting_gateways.add if last.leaving else cache.awaiting_gateways.discard)(base_key(base.name))
    return _unplaced(base, cache, placed.values()) | _note_on_demand(base, cache, sets.values())


def _with_residents(base: BaseModel, cache: ClusterCache, placed: Mapping[str, Placed]) -> Mapping[str, DesiredItems]:
    """The sets with the versions that have a place in memory, if there is no room for all."""
    if all(each.count <= base.spec.lora.cpu_slots for each in placed.values()):
        return {uid: each.desired(None) for uid, each in placed.items()}  # without a look at every adapter
    adapters = {cache.adapter_name(adapter.key): adapter for adapter in cache.adapters_of(base.name)}
    pins = {name: tenant.spec.max_pinned_adapters for name, _ in adapters if (tenant := cache.tenant(name))}
    peers = [(peer, peer.ready or (report and report.ready)) for peer, report in cache.replicas(base.name) if peer.url]
    urls = {peer.uid: peer.url for peer, _ in peers}
    serving = {peer.url for peer, serves in peers if serves}  # gateways ask these
    chosen: dict[tuple[int, Set[AdapterName]], frozenset[VersionName] | None] = {}
    sets = {}
    for uid, each in placed.items():
        own = urls.get(uid)
        elsewhere = kept_elsewhere(own, serving | {own}, adapters) if own else frozenset[AdapterName]()
        same = (each.total, elsewhere)  # most replicas have the same versions
        if same not in chosen:
            chosen[same] = residents([*_items(each.by_adapter)], adapters, base.spec.lora, pins, elsewhere)
        sets[uid] = each.desired(chosen[same])
    return sets


def _items(by_adapter: Mapping[AdapterName, Items]) -> Iterator[DesiredAdapter]:
    return (item for items in by_adapter.values() for item in items)


def _note_on_demand(base: BaseModel, cache: ClusterCache, sets: Iterable[DesiredItems]) -> set[Key]:
    """Returns the adapters whose active version got or lost its place in memory on a replica."""
    names = {
        (item.tenant, item.adapter)
        for desired in sets
        if desired.residents is not None
        for item in _items(desired.by_adapter)
        if item.required and item.version_name not in desired.residents
    }
    before = cache.on_demand.get(base.name)
    if before is None:  # since the operator's start: as the adapters say
        said = (item for item in cache.adapters_of(base.name) if c.find(item.status.conditions, c.RESIDENT))
        before = frozenset(cache.adapter_name(item.key) for item in said)
    cache.on_demand[base.name] = frozenset(names)
    owned = ((tenant, cache.tenant(tenant), name) for tenant, name in names ^ before)
    return {Key(kind="Adapter", namespace=owner.spec.namespace, name=name) for _, owner, name in owned if owner}


class _SecretUnreadError(Exception):
    """An adapter's Secret has not been read yet."""


def _touch_leaving(last: Placements, cache: ClusterCache) -> None:
    """Whether gateways have let go of a version is asked each time."""
    for tenant, name in last.leaving:
        owner = cache.tenant(tenant)
        if owner is None:
            last.forget()
        else:
            last.touch(Key(kind="Adapter", namespace=owner.spec.namespace, name=name))


def _decide(
    base: BaseModel,
    context: Context,
    now: datetime,
    reports: Mapping[str, ReplicaReport | None],
    uids: Sequence[str],
    keys: Set[Key] | None,
) -> Decision:
    """Decides for some of the replicas, on all adapters or on some of them alone. Raises _SecretUnreadError."""
    cache = context.cache
    objects, rules = cache.objects_of(base, keys), cache.rules(now)
    verdicts = {adapter.key: cache.cached_verdict(adapter, rules) for adapter in objects.adapters}
    if any(a.spec.credentials and verdicts[a.key].holds and a.key not in cache.secrets_read for a in objects.adapters):
        raise _SecretUnreadError
    names = None if keys is None else {cache.adapter_name(key) for key in keys}
    statuses = {uid: report.about(names) if report else None for uid, report in reports.items()}
    revisions = {adapter.key: context.store.revision(adapter) for adapter in objects.adapters}
    chosen = pilots(objects.adapters, owners(objects.tenants), revisions, statuses) if len(statuses) > 1 else {}
    placements = [
        fill_slots(
            objects,
            base,
            verdicts=verdicts,
            revisions=revisions,
            report=statuses[uid],
            gateways=cache.gateways_for,
            credentials=cache.credentials,
            memo=cache.desired_items,
            tried_elsewhere={key for key, pilot in chosen.items() if pilot != uid},
        )
        for uid in uids
    ]
    return Decision(placements, chosen.keys())


def _unplaced(base: BaseModel, cache: ClusterCache, placed: Iterable[Placed]) -> set[Key]:
    unplaced = {key: reason for each in placed for key, reason in each.unplaced.items()}
    keys = cache.keys_of(base.name)
    named = cache.unplaced.keys() | unplaced.keys()
    changed = {key for key in named if key in keys and cache.unplaced.get(key) != unplaced.get(key)}
    for key in changed:
        cache.unplaced.pop(key, None)
    cache.unplaced |= unplaced
    return changed


async def _write_status(stored: StoredObject[BaseModel], verdict: Condition, context: Context, now: datetime) -> None:
    base = stored.item
    peers = context.cache.replicas(base.name)
    status = next_status(
        base,
        verdict=verdict,
        is_scaled_to_zero=not peers and context.cache.is_scaled_to_zero(base),
        starts_from_zero=base.spec.scales_to_zero and was_at_zero(base.status.conditions),
        replicas={peer.name: (peer.url, report) for peer, report in peers if peer.url},
        now=stamp(now),
        trouble=next((peer.trouble for peer, _ in peers if peer.trouble), ""),
        waiting=context.engines.waiting_reason(base.name),
    )
    kept = {endpoint.name: endpoint for endpoint in base.status.endpoints}
    unheard = {peer.name for peer, _ in peers if peer.ready and peer.uid in context.cache.expected}
    endpoints = tuple(kept.get(e.name, e) if e.name in unheard else e for e in status.endpoints)
    more = {"endpoints": endpoints, "replicas": len(peers), "selector": context.engines.selector(base.name)}
    await context.store.write_status(stored, status.model_copy(update=more))
