"""The state known to the controllers, indexed for their look-ups. It does no I/O.

Look-ups take constant time unless their docstring says otherwise.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from contract.acceptance import Rules, key_holder, owners
from contract.adapter import Adapter
from contract.agent import AdapterReport, AgentStatus, DesiredAdapter
from contract.api_key import APIKey
from contract.base_model import BaseModel
from contract.conditions import Condition
from contract.fine_tune import FineTune
from contract.gateway import GatewayState
from contract.ingest import IngestStatus
from contract.knowledge_base import KnowledgeBase
from contract.objects import AnyObject, Objects
from contract.resource import Key
from contract.tenant import Tenant
from operators.controllers.peer import Peer
from operators.controllers.placements import Placements
from operators.controllers.slice_index import SliceIndex
from operators.controllers.stored_object import StoredObject
from operators.desired.memo import Memo
from operators.desired.replica_report import ReplicaReport
from operators.reconcile.drift import DriftVerdict
from operators.reconcile.scale_to_zero import was_at_zero

O = TypeVar("O", bound=AnyObject)  # noqa: E741

# A gateway that has not said for so long how base models are used may have requests that nobody knows of.
HEARD_S = 10.0

# A replica with traffic and without a report: assume it holds nothing.
_SILENT = ReplicaReport(ready=False, started=None)


class ClusterCache:
    """Everything the controllers decide from. `documents` is the root of the tenants' documents, if known; `reserved`
    is the platform's own namespace, forbidden for tenants; `trainings` is the claim with trained adapters."""

    def __init__(
        self,
        *,
        documents: str | None = None,
        reserved: str | None = None,
        has_ingest: bool = True,
        trainings: str | None = None,
    ) -> None:
        self.documents = documents
        self._trainings = trainings
        self._reserved = reserved
        self.has_ingest = has_ingest
        self.objects: dict[Key, StoredObject[AnyObject]] = {}
        self.engines: dict[str, dict[str, Peer]] = defaultdict(dict)  # by base model and name
        self.gateways: dict[str, Peer] = {}
        self.reports: dict[str, ReplicaReport] = {}  # by uid; a silent agent has none
        self.expected: set[str] = set()  # uids of agents expected to report soon for the first time
        self.gateway_states: dict[str, GatewayState] = {}  # by uid; a silent gateway has none
        self.base_uses_heard: dict[str, datetime] = {}  # by uid: when a gateway last said how base models are used
        self.last_request: dict[str, datetime] = {}  # by base model, or the last time that something needed an engine
        self.scaled_to_zero: dict[str, bool] = {}  # by base model, as decided last
        self.key_uses: dict[Key, datetime] = {}  # the last use of each key that a gateway reported
        self.published = 0  # the number of the last snapshot, where gateways read snapshots
        self.ingest: IngestStatus | None = None
        self.drift: Mapping[str, DriftVerdict] | None = None  # by tenant; None before the first report
        self.down: frozenset[str] = frozenset()  # services that stopped answering
        self.credentials: dict[Key, Mapping[str, str]] = {}
        self.secrets_read: set[Key] = set()
        self.new_since: dict[Key, datetime] = {}  # adapters without a status yet
        self.unplaced: dict[Key, Condition] = {}
        self.on_demand: dict[str, frozenset[tuple[str, str]]] = {}  # by base model: adapters without a place in memory
        self.awaiting_gateways: set[Key] = set()  # objects that wait for a gateway to confirm a flip or a removal
        self.slices = SliceIndex()
        self.placements: dict[str, Placements] = defaultdict(Placements)  # by base model
        self.desired_items: Memo[DesiredAdapter] = Memo()
        self._verdicts: Memo[Condition] = Memo()
        self.judged = 0  # counts the changes of objects that verdicts on others depend on
        self._base_models: dict[str, BaseModel] = {}
        self._adapters: dict[str, dict[Key, Adapter]] = defaultdict(dict)
        self._fine_tunes: dict[str, dict[Key, FineTune]] = defaultdict(dict)
        self._of_base: dict[str, dict[Key, None]] = defaultdict(dict)
        self._claims: dict[str, dict[str, Tenant]] = defaultdict(dict)
        self._keys: dict[tuple[str, str], dict[Key, APIKey]] = defaultdict(dict)

    # What changes --------------------------------------------------------------------------------------------

    def set_object(self, before: StoredObject[AnyObject] | None, after: StoredObject[AnyObject] | None) -> None:
        self.judged += self._judges(before, after)
        if before:
            self.objects.pop(before.key, None)
            if after is None:
                self.unplaced.pop(before.key, None)
                self.key_uses.pop(before.key, None)
                self.desired_items.forget(before.key)
                self._verdicts.forget(before.key)
            self._index(before.item, present=False)
        if after:
            self.objects[after.key] = after
            self._index(after.item, present=True)

    def _judges(self, before: StoredObject[AnyObject] | None, after: StoredObject[AnyObject] | None) -> bool:
        """True if verdicts on adapters may depend on the change. An adapter matters to others at its tenant's limit."""
        item = (after or before).item  # type: ignore[union-attr]
        if isinstance(item, Adapter):
            tenant = self.tenant(self.owner(item.namespace) or "")
            count = len(self.adapters(item.namespace)) + (before is None)  # the larger one, before and after
            return tenant is None or count > tenant.spec.max_adapters
        if not isinstance(item, BaseModel | Tenant | KnowledgeBase):
            return False
        if before is None or after is None or before.item.spec != after.item.spec:
            return True
        old = before.item
        return isinstance(item, Tenant) and isinstance(old, Tenant) and item.status.namespace != old.status.namespace

    def _index(self, item: AnyObject, *, present: bool) -> None:
        match item:
            case Adapter():
                _put(self._adapters, item.namespace, item.key, item, present=present)
                for base in bases_of(item):
                    _put(self._of_base, base, item.key, None, present=present)
            case BaseModel():
                _put({"": self._base_models}, "", item.name, item, present=present)
            case FineTune():
                _put(self._fine_tunes, item.namespace, item.key, item, present=present)
            case Tenant():
                _put(self._claims, item.spec.namespace, item.name, item, present=present)
            case APIKey():
                _put(self._keys, (item.namespace, item.spec.sha256), item.key, item, present=present)

    def set_peer(self, before: Peer | None, after: Peer | None) -> None:
        for peer, present in ((before, False), (after, True)):
            if peer and peer.base:
                _put(self.engines, peer.base, peer.name, peer, present=present)
            elif peer:
                _put({"": self.gateways}, "", peer.name, peer, present=present)

    # Look-ups of acceptance ----------------------------------------------------------------------------------

    def owner(self, namespace: str) -> str | None:
        """Linear in the tenants claiming the namespace. The platform's own namespace has no owner."""
        if namespace == self._reserved:
            return None
        return owners(tuple(self._claims[namespace].values())).get(namespace) if namespace in self._claims else None

    def tenant(self, name: str) -> Tenant | None:
        item = self.get(Key(kind="Tenant", namespace=None, name=name))
        return item if isinstance(item, Tenant) else None

    def base_model(self, name: str) -> BaseModel | None:
        item = self.get(Key(kind="BaseModel", namespace=None, name=name))
        return item if isinstance(item, BaseModel) else None

    def base_models(self) -> Sequence[BaseModel]:
        return tuple(self._base_models.values())

    def has_knowledge_base(self, namespace: str, name: str) -> bool:
        return Key(kind="KnowledgeBase", namespace=namespace, name=name) in self.objects

    def key_holder(self, namespace: str, digest: str) -> Key | None:
        keys = self._keys.get((namespace, digest))
        return key_holder(keys.values()).key if keys else None

    def adapters(self, namespace: str) -> Sequence[Adapter]:
        return tuple(self._adapters[namespace].values()) if namespace in self._adapters else ()

    # What reconciling asks for -------------------------------------------------------------------------------

    def stored(self, key: Key, kind: type[O]) -> StoredObject[O] | None:
        """None where there is none of this kind."""
        stored = self.objects.get(key)
        return cast("StoredObject[O]", stored) if stored and isinstance(stored.item, kind) else None

    def get(self, key: Key) -> AnyObject | None:
        stored = self.objects.get(key)
        return stored.item if stored else None

    def rules(self, now: datetime) -> Rules:
        return Rules(self, now, self.documents, self._trainings)

    def verdict(self, item: AnyObject, now: datetime) -> Condition:
        return self.rules(now).verdict(item)

    def adapter_name(self, key: Key) -> tuple[str, str]:
        """The tenant and the name of an adapter, as reports have them."""
        return (self.owner(key.namespace or "") or "", key.name)

    def cached_verdict(self, adapter: Adapter, rules: Rules) -> Condition:
        """The verdict, looked for again only if the adapter changed, or an object that verdicts depend on."""
        return self._verdicts.get(adapter.key, "", adapter, self.judged, lambda: rules.verdict(adapter))

    def adapters_of(self, base: str) -> list[Adapter]:
        """Adapters with this base model in spec or in use."""
        items = (self.get(key) for key in self._of_base.get(base, ()))
        return [item for item in items if isinstance(item, Adapter)]

    def keys_of(self, base: str) -> Set[Key]:
        """The keys of `adapters_of`."""
        return self._of_base[base].keys() if base in self._of_base else frozenset()

    def of_kind(self, kind: type[AnyObject]) -> list[AnyObject]:
        """Takes longer with more objects."""
        return [stored.item for stored in self.objects.values() if isinstance(stored.item, kind)]

    def in_namespace(self, namespace: str) -> list[Key]:
        """Takes longer with more objects."""
        return [key for key in self.objects if key.namespace == namespace]

    def claims(self, namespace: str) -> tuple[Tenant, ...]:
        return tuple(self._claims[namespace].values()) if namespace in self._claims else ()

    def keys_with(self, namespace: str, digest: str) -> tuple[Key, ...]:
        return tuple(self._keys.get((namespace, digest), ()))

    def note_use(self, namespace: str, digest: str, at: datetime) -> Sequence[Key]:
        """The keys with an earlier last use."""
        keys = [key for key in self.keys_with(namespace, digest) if key not in self.key_uses or self.key_uses[key] < at]
        self.key_uses |= dict.fromkeys(keys, at)
        return keys

    def note_base_uses(self, uid: str, idle_s: Mapping[str, float], now: datetime) -> None:
        self.base_uses_heard[uid] = now
        for base, seconds in idle_s.items():
            at = now - timedelta(seconds=seconds)
            self.last_request[base] = max(at, self.last_request.get(base, at))

    def idle_s(self, base: str, now: datetime) -> float:
        """Seconds without a request, as far as gateways have said."""
        last = self.last_request.get(base)
        return math.inf if last is None else (now - last).total_seconds()

    def has_heard_all_gateways(self, now: datetime) -> bool:
        """True if there are gateways, and each has said lately how base models are used."""
        uids = [peer.uid for peer in self.gateways.values() if peer.control_url]
        heard = [self.base_uses_heard[uid] for uid in uids if uid in self.base_uses_heard]
        return bool(uids) and len(heard) == len(uids) and (now - min(heard)).total_seconds() <= HEARD_S

    def is_scaled_to_zero(self, base: BaseModel) -> bool:
        """As decided last; since the operator's start, as its status says."""
        said = was_at_zero(base.status.conditions)
        return base.spec.scales_to_zero and self.scaled_to_zero.get(base.name, said)

    def serves(self, base: str) -> bool:
        """True if a replica takes traffic."""
        return any(peer.ready or (report and report.ready) for peer, report in self.replicas(base))

    def resolved(self, adapter: Adapter) -> Adapter:
        """The adapter with its FineTune's result as its source, once there is one."""
        key = Key(kind="FineTune", namespace=adapter.namespace, name=adapter.spec.fine_tune or "")
        tune = self.get(key)
        result = tune.status.result if isinstance(tune, FineTune) else None
        if result is None:
            return adapter
        update = {"source": result.source, "digest": adapter.spec.digest or result.digest}
        return adapter.model_copy(update={"spec": adapter.spec.model_copy(update=update)})

    def fine_tunes(self, namespace: str) -> tuple[FineTune, ...]:
        return tuple(self._fine_tunes[namespace].values()) if namespace in self._fine_tunes else ()

    def objects_of(self, base: BaseModel, keys: Set[Key] | None = None) -> Objects:
        """The input for placing versions on the base model's replicas, or those of some of its adapters."""
        items = (self.get(key) for key in (keys or set()) & self.keys_of(base.name))
        named = self.adapters_of(base.name) if keys is None else [item for item in items if isinstance(item, Adapter)]
        adapters = [self.resolved(adapter) for adapter in named]
        namespaces = {adapter.namespace for adapter in adapters}
        tenants = tuple(tenant for namespace in namespaces for tenant in self.claims(namespace))
        return Objects.model_construct(base_models=(base,), tenants=tenants, adapters=tuple(adapters))

    def report(self, peer: Peer) -> ReplicaReport | None:
        """The last report of an agent, None while it is silent."""
        return None if peer.silent else self.reports.get(peer.uid)

    def replicas(self, base: str) -> list[tuple[Peer, ReplicaReport | None]]:
        """Replicas not being deleted, with their agents' reports."""
        peers = self.engines[base].values() if base in self.engines else ()
        return [(peer, self.report(peer)) for peer in sorted(peers, key=lambda peer: peer.name) if not peer.deleting]

    def _with_traffic(self, base: str) -> list[tuple[Peer, ReplicaReport]]:
        """Replicas with traffic, or about to get it; if there are none, all reporting replicas."""
        peers = self.replicas(base)
        with_traffic = [(peer, report or _SILENT) for peer, report in peers if peer.ready or (report and report.ready)]
        return with_traffic or [(peer, report) for peer, report in peers if report]

    def serving_adapter(self, base: str, tenant: str, name: str) -> tuple[AgentStatus, ...]:
        """The reports about one adapter from each replica with traffic, or about to get it."""
        reports = []
        for peer, report in self._with_traffic(base):
            status = report.about([(tenant, name)])
            shown = tuple(self._published(base, peer, entry) for entry in status.adapters)
            reports.append(status.model_copy(update={"adapters": shown}))
        return tuple(reports)

    def _published(self, base: str, peer: Peer, entry: AdapterReport) -> AdapterReport:
        """A version counts as ready only once a slice lists its replica: gateways read replicas there, and would find
        none after an earlier flip."""
        replicas = self.slices.replicas(base).get(entry.engine_name or "", frozenset())
        is_published = entry.state != "Ready" or peer.name in replicas
        return entry if is_published else entry.model_copy(update={"state": "Loading"})

    def gateways_for(self, tenant: str, adapter: str) -> tuple[GatewayState, ...]:
        """All gateway states, or none while one has not confirmed the adapter's last flip and the last snapshot. A
        gateway without an address has no requests yet."""
        states = [self.gateway_states.get(peer.uid) for peer in self.gateways.values() if peer.control_url]
        flip = self._flip(tenant, adapter)
        current = [s for s in states if s and s.generation >= self.published and s.has_taken_up(tenant, adapter, flip)]
        return tuple(current) if len(current) == len(states) else ()

    def awaited_adapters(self) -> Set[str]:
        """The adapters whose flips or versions a gateway is to confirm, by TENANT.ADAPTER."""
        waiting = (self.adapter_name(key) for key in self.awaiting_gateways if key.kind == Adapter.__name__)
        bases = (self.placements[key.name] for key in self.awaiting_gateways if key.kind == BaseModel.__name__)
        leaving = (name for placements in bases for name in placements.leaving)
        return {".".join(name) for name in (*waiting, *leaving)}

    def _flip(self, tenant: str, adapter: str) -> int:
        owner = self.tenant(tenant)
        key = Key(kind="Adapter", namespace=owner.spec.namespace if owner else "", name=adapter)
        item = self.get(key)
        active = item.status.active if isinstance(item, Adapter) else None
        return active.generation if active else 0


def bases_of(adapter: Adapter) -> set[str]:
    """The base models named by an adapter, or still used by it."""
    versions = (adapter.status.active, adapter.status.canary)
    return {adapter.spec.base_model, *(version.base_model for version in versions if version)}


def _put(index: Any, group: Any, key: Any, item: Any, *, present: bool) -> None:
    if present:
        index[group][key] = item
        return
    index[group].pop(key, None)
    if not index[group] and isinstance(index, defaultdict):
        del index[group]
