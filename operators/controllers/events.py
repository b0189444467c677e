"""Changes go into the cache, and the affected objects into the queue.

A key names an object to reconcile, never an action.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from datetime import datetime

from contract import conditions as c
from contract.adapter import Adapter
from contract.adapter_slice import AdapterSlice
from contract.agent import AdapterName
from contract.api_key import APIKey
from contract.base_model import BaseModel
from contract.fine_tune import FineTune
from contract.gateway import BaseUses, GatewayState, KeyUses
from contract.ingest import IngestStatus
from contract.knowledge_base import KnowledgeBase
from contract.objects import AnyObject
from contract.resource import Key
from contract.tenant import Tenant
from operators.controllers.cache import ClusterCache, bases_of
from operators.controllers.peer import Peer
from operators.controllers.slice_index import StoredSlice
from operators.controllers.stored_object import StoredObject
from operators.desired.replica_report import ReplicaReport, changed_adapters
from operators.reconcile.drift import DriftVerdict

# Keys for services with one desired state for all tenants.
INGEST = Key(kind="Ingest", namespace=None, name="")
DRIFT = Key(kind="Drift", namespace=None, name="")
# The kind of keys for all slices of a base model.
SLICES = AdapterSlice.__name__


# The least number of seconds between two writes of a tenant's number of adapters.
COUNT_S = 1.0


class Events:
    """`enqueue` schedules a reconcile of objects, `enqueue_later` after some seconds. `peers_changed` is set
    whenever the set of engines or gateways changes."""

    def __init__(
        self, cache: ClusterCache, enqueue: Callable[[Key], None], enqueue_later: Callable[[Key, float], None]
    ) -> None:
        self.cache = cache
        self.peers_changed = asyncio.Event()
        self._enqueue = enqueue
        self._enqueue_later = enqueue_later

    def enqueue(self, keys: Iterable[Key]) -> None:
        """Of a base model, anything may have changed."""
        for key in keys:
            if key.kind == BaseModel.__name__:
                self.cache.placements[key.name].forget()
            self._enqueue(key)

    def _enqueue_touched(self, keys: Iterable[Key], adapters: Iterable[Key]) -> None:
        """Of base models among `keys`, these adapters changed."""
        touched = set(adapters)
        for key in keys:
            if key.kind == BaseModel.__name__:
                for adapter in touched:
                    self.cache.placements[key.name].touch(adapter)
            self._enqueue(key)

    def enqueue_everything(self) -> None:
        self.enqueue((*self.cache.objects, INGEST, DRIFT))
        bases = {base.name for base in self.cache.base_models()}
        for base in bases | {stored.item.spec.base_model for stored in self.cache.slices.stored.values()}:
            self._enqueue_slices(base, None)

    def _enqueue_slices(self, base: str, adapters: Set[AdapterName] | None) -> None:
        """None: reports about any adapter may have changed."""
        if adapters is None:
            self.cache.slices.all_due(base)
        else:
            self.cache.slices.due(base, adapters)
        self._enqueue(slices_key(base))

    def slice_changed(self, before: StoredSlice | None, after: StoredSlice | None) -> None:
        """Adapters wait for their versions to be in a slice."""
        self.enqueue(_keys(self.cache, self.cache.slices.set(before, after)))

    def object_changed(self, before: StoredObject[AnyObject] | None, after: StoredObject[AnyObject] | None) -> None:
        self.cache.set_object(before, after)
        requests = _requests_for_object(self.cache, before, after)
        item = (after or before).item  # type: ignore[union-attr]
        if isinstance(item, FineTune):
            self.enqueue(requests)
        else:  # what else decides about adapters is compared with the last placement
            self._enqueue_touched(requests, [item.key] if isinstance(item, Adapter) else [])
        if isinstance(item, BaseModel) and (before is None or after is None):
            self._enqueue_slices(item.name, None)
        if tenant := _tenant_with_new_count(self.cache, before, after):
            self._enqueue_later(tenant, COUNT_S)

    def peer_changed(self, before: Peer | None, after: Peer | None) -> None:
        self.cache.set_peer(before, after)
        self.peers_changed.set()
        for peer in (before, after):
            if peer and peer.base:
                self._enqueue_touched((base_key(peer.base), *self.cache.keys_of(peer.base)), ())
                self._enqueue_slices(peer.base, None)
            elif peer:
                for placements in self.cache.placements.values():
                    placements.forget()
                self.enqueue(set(self.cache.awaiting_gateways))

    def no_longer_expected(self, peer: Peer) -> None:
        """The peer has reported, or had the time to: its report, or none, is what counts."""
        self.cache.expected.discard(peer.uid)
        self.enqueue([base_key(peer.base)])
        self._enqueue_slices(peer.base, None)

    def report_changed(self, peer: Peer, after: ReplicaReport | None) -> None:
        before = self.cache.reports.pop(peer.uid, None)
        if after is not None:
            self.cache.reports[peer.uid] = after
        changed = changed_adapters(before, after)
        if changed:
            self._enqueue_slices(peer.base, changed)
        requests = _requests_for_report(self.cache, peer.base, before, after, changed)
        # A tenant that is gone has no keys, so its versions are found by a whole decision alone.
        if any(self.cache.tenant(tenant) is None for tenant, _ in changed):
            self.enqueue(requests)
        else:
            self._enqueue_touched(requests, _keys(self.cache, changed))  # readiness is compared with the last placement

    def gateway_changed(self, peer: Peer, state: GatewayState) -> None:
        self.cache.gateway_states[peer.uid] = state
        self._enqueue_touched(set(self.cache.awaiting_gateways), ())  # versions that leave are looked at each time

    def bases_used(self, peer: Peer, uses: BaseUses, now: datetime) -> None:
        """Reconciles base models with requests and without an engine."""
        self.cache.note_base_uses(peer.uid, uses.idle_s, now)
        for name in uses.idle_s:
            base = self.cache.base_model(name)
            if base and self.cache.is_scaled_to_zero(base):
                self._enqueue(base_key(name))

    def keys_used(self, uses: KeyUses) -> None:
        """Reconciles each key used since the last report."""
        for namespace, used in uses.last.items():
            for digest, at in used.items():
                self.enqueue(self.cache.note_use(namespace, digest, at))

    def ingest_changed(self, status: IngestStatus | None) -> None:
        self.cache.ingest = status
        self.enqueue([key for key in self.cache.objects if key.kind == "KnowledgeBase"])

    def drift_changed(self, verdicts: Mapping[str, DriftVerdict]) -> None:
        """Reconciles tenants with a changed verdict; after the first report, all."""
        before, self.cache.drift = self.cache.drift, verdicts
        tenants = [key for key in self.cache.objects if key.kind == "Tenant"]
        self.enqueue([key for key in tenants if before is None or before.get(key.name) != verdicts.get(key.name)])

    def services_changed(self, down: Iterable[str]) -> None:
        self.cache.down = frozenset(down)
        self.enqueue([key for key in self.cache.objects if key.kind in ("Adapter", "KnowledgeBase")])


def _requests_for_object(
    cache: ClusterCache, before: StoredObject[AnyObject] | None, after: StoredObject[AnyObject] | None
) -> set[Key]:
    """Called after the cache has the change. A change of status affects the object itself, and its dependants if
    conditions changed."""
    items = [stored.item for stored in (before, after) if stored]
    requests = {item.key for item in items}
    changed = (
        len(items) == 1 or items[0].spec != items[1].spec or items[0].status.conditions != items[1].status.conditions
    )
    for item in items if changed else ():
        requests |= set(_dependants(cache, item))
    return requests | _bases(items) | set(_trained(cache, items))


def _trained(cache: ClusterCache, items: list[AnyObject]) -> Iterator[Key]:
    """Adapters that serve a FineTune's result, if the result changed; and the tenant, if its training took time."""
    tunes = [item for item in items if isinstance(item, FineTune)]
    if len({tune.status.result for tune in tunes}) == 2 or len(tunes) == 1:
        for adapter in cache.adapters(tunes[0].namespace):
            if adapter.spec.fine_tune == tunes[0].name:
                yield from (adapter.key, base_key(adapter.spec.base_model))
    minutes = {tune.status.training.seconds // 60 if tune.status.training else None for tune in tunes}
    owner = cache.tenant(cache.owner(tunes[0].namespace) or "") if len(minutes) == 2 else None
    if owner:
        yield owner.key


def _tenant_with_new_count(
    cache: ClusterCache, before: StoredObject[AnyObject] | None, after: StoredObject[AnyObject] | None
) -> Key | None:
    """The tenant with a changed number of adapters."""
    item = (before or after).item if before is None or after is None else None  # type: ignore[union-attr]
    tenant = cache.tenant(cache.owner(item.namespace) or "") if isinstance(item, Adapter) else None
    return tenant.key if tenant else None


def _bases(items: list[AnyObject]) -> set[Key]:
    """The base models with possibly changed desired sets. Messages and history of an adapter do not matter here."""
    adapters = [item for item in items if isinstance(item, Adapter)]
    if len({_desired_set_inputs(adapter) for adapter in adapters}) == 1 and len(adapters) == 2:
        return set()
    return {base_key(base) for adapter in adapters for base in bases_of(adapter)}


def _desired_set_inputs(adapter: Adapter) -> str:
    """Everything of an adapter that `operators.desired.adapters.fill_slots` reads, for comparison."""
    status = adapter.status
    accepted = c.find(status.conditions, c.ACCEPTED)
    parts = (adapter.spec, status.active, status.canary, *status.previous, status.rejected, accepted)
    return "\n".join(part.model_dump_json() if part else "" for part in parts)


def _dependants(cache: ClusterCache, item: AnyObject) -> Iterator[Key]:
    match item:
        case Adapter():
            yield from _neighbours(cache, item)
            yield from (tune.key for tune in cache.fine_tunes(item.namespace) if tune.spec.start == item.name)
        case Tenant():
            namespace = item.spec.namespace
            yield from (tenant.key for tenant in cache.claims(namespace))
            yield from cache.in_namespace(namespace)
            yield from (INGEST, DRIFT)
        case BaseModel():
            yield from (adapter.key for adapter in cache.adapters_of(item.name))
            yield from (key for key in cache.objects if key.kind == "FineTune")
            yield from (key for key in cache.objects if key.kind == "Adapter" and key.name == item.name)
        case KnowledgeBase():
            yield INGEST
            adapters = cache.adapters(item.namespace)
            yield from (a.key for a in adapters if item.name in a.spec.knowledge_bases)
        case APIKey():
            yield from cache.keys_with(item.namespace, item.spec.sha256)


def _neighbours(cache: ClusterCache, adapter: Adapter) -> Iterator[Key]:
    """At the tenant's limit, another adapter may have gained or lost its place."""
    tenant = cache.tenant(cache.owner(adapter.namespace) or "")
    if tenant is None:
        return
    others = cache.adapters(adapter.namespace)
    if len(others) >= tenant.spec.max_adapters:
        yield from (other.key for other in others)


def _requests_for_report(
    cache: ClusterCache,
    base: str,
    before: ReplicaReport | None,
    after: ReplicaReport | None,
    changed: Set[AdapterName],
) -> set[Key]:
    """Adapters with a changed report from a replica, or all of them after a change of its readiness."""
    if (before and before.ready) != (after and after.ready):
        reported = {name for report in (before, after) if report for name in report.entries}
        return {base_key(base), *cache.keys_of(base), *_keys(cache, reported)}
    return {base_key(base), *_keys(cache, changed)} if changed else set()


def _keys(cache: ClusterCache, adapters: Iterable[AdapterName]) -> Iterator[Key]:
    for tenant, name in adapters:
        owner = cache.tenant(tenant)
        if owner:
            yield Key(kind="Adapter", namespace=owner.spec.namespace, name=name)


def slices_key(base: str) -> Key:
    return Key(kind=SLICES, namespace=None, name=base)


def base_key(name: str) -> Key:
    return Key(kind="BaseModel", namespace=None, name=name)
