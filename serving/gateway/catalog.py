"""An immutable routing table built from a snapshot of the objects (pure)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Literal, TypeVar

from contract.acceptance import Rules, owners, rules_of
from contract.adapter import Adapter, AdapterStatus, CanaryVersion, Version, comparison, short
from contract.adapter_slice import AdapterSlice
from contract.api_key import Scope as KeyScope
from contract.api_key import key_digest, key_namespace
from contract.base_model import BaseModel
from contract.conditions import ACCEPTED, FETCHED, ON_ITS_WAY, RESIDENT, REVOKING, Condition, find
from contract.gateway import GatewayState
from contract.knowledge_base import KnowledgeBase, KnowledgeBaseSpec
from contract.prompt import Prompt
from contract.snapshot import Snapshot
from contract.tenant import Limits, Slo, Tenant

R = TypeVar("R", Adapter, KnowledgeBase)


@dataclass(frozen=True)
class Principal:
    """The owner of a key. `models` limits the key to these model names, `scopes` to these uses. `key` is the key's
    namespace and SHA-256, None for a delegated token."""

    tenant: str
    models: frozenset[str] | None
    expires_at: datetime | None
    scopes: frozenset[KeyScope] = frozenset({"inference"})
    key: tuple[str, str] | None = None

    def may_use(self, model: str) -> bool:
        return self.models is None or model in self.models


@dataclass(frozen=True)
class Canary:
    """A version on trial, with its share of the requests in percent, and its name in comparisons."""

    engine_name: str
    weight: int
    comparison: str
    prompt: Prompt | None = None


Role = Literal["active", "trial", "earlier"]


@dataclass(frozen=True)
class LoadedVersion:
    """A version in the engines that a request may name: NAME@ID."""

    id: str  # the first digits of its digest
    engine_name: str
    role: Role
    prompt: Prompt | None = None


@dataclass(frozen=True)
class Target:
    """The version behind one of a tenant's model names. `flip` is its flip generation. Without an `engine_name` no
    version is ready yet; with `refused` none will be before the object or its artifact changes. `version` is the id
    of the version that the request named, empty if it named none."""

    tenant: str
    name: str
    base_model: str
    engine_name: str | None
    knowledge_bases: tuple[str, ...] = ()
    prompt: Prompt | None = None
    canary: Canary | None = None
    is_canary: bool = False
    flip: int = 0
    refused: bool = False
    versions: tuple[LoadedVersion, ...] = ()
    is_on_demand: bool = False
    """True if its weights may have to be loaded first."""
    homes: int = 1
    """The number of replicas that keep it in memory then."""
    version: str = ""
    alias: str = ""
    """The name by which the request asked for a base model, if it is not its own."""

    @property
    def label(self) -> str:
        """The model name of the request."""
        return f"{self.name}@{self.version}" if self.version else self.alias or self.name

    def at_version(self, id_: str) -> "Target | None":
        """With this version in place of the active one and of a canary. None if it is not in the engines."""
        named = next((version for version in self.versions if version.id == id_), None)
        if named is None:
            return None
        return replace(self, engine_name=named.engine_name, prompt=named.prompt, version=id_, canary=None)

    def with_canary(self, request_id: str) -> "Target":
        """Picks the version once for each request. `request_id` is hexadecimal, and not chosen by callers."""
        if self.canary and self.engine_name and int(request_id[:8], 16) % 100 < self.canary.weight:
            return replace(self, engine_name=self.canary.engine_name, prompt=self.canary.prompt, is_canary=True)
        return self


@dataclass(frozen=True)
class Replica:
    """An engine ready for traffic."""

    url: str


@dataclass(frozen=True)
class Base:
    """A base model: its engines' capabilities and addresses. `answering` has the replicas of each proven version, by
    its name in the engines. `media` and `template_kwargs` are allow-lists."""

    name: str
    max_model_length: int
    replicas: tuple[Replica, ...]
    answering: Mapping[str, tuple[Replica, ...]] = field(default_factory=dict)
    calls_tools: bool = False
    template_kwargs: frozenset[str] = frozenset()
    media: frozenset[str] = frozenset()
    hold_s: float = 0.0
    """How long a request waits for an engine to start, where none runs while nobody asks."""

    def holders(self, engine_name: str) -> tuple[Replica, ...]:
        if engine_name == self.name:
            return self.replicas
        return self.answering.get(engine_name, ())


@dataclass(frozen=True)
class TenantEntry:
    name: str
    limits: Limits
    targets: Mapping[str, Target]
    knowledge_bases: Mapping[str, KnowledgeBaseSpec]  # those that may be searched
    refused_knowledge_bases: frozenset[str] = frozenset()
    slo: Slo = field(default_factory=Slo)


@dataclass(frozen=True)
class Catalog:
    generation: int = 0
    principals: Mapping[tuple[str, str], Principal] = field(default_factory=dict)
    tenants: Mapping[str, TenantEntry] = field(default_factory=dict)
    bases: Mapping[str, Base] = field(default_factory=dict)

    def authenticate(self, key: str, now: datetime) -> Principal | None:
        """The owner of this key. The lookup is by digest, so its duration reveals nothing about other keys."""
        principal = self.principals.get((key_namespace(key) or "", key_digest(key)))
        if principal is None or (principal.expires_at is not None and principal.expires_at <= now):
            return None
        return principal

    def target(self, principal: Principal, model: str) -> Target | None:
        """The target of NAME or NAME@VERSION, without a canary's choice. A key for a name is one for its versions, and
        for a base model's further names."""
        name, at, version = model.partition("@")
        target = self.tenants[principal.tenant].targets.get(name)
        if target is None or not principal.may_use(target.name):
            return None
        return target.at_version(version) if at else target

    def resolve(self, principal: Principal, model: str, request_id: str) -> Target | None:
        target = self.target(principal, model)
        chosen = target.with_canary(request_id) if target else None
        if chosen and chosen.is_canary and not self.holders(chosen):
            return target
        return chosen

    def holders(self, target: Target) -> tuple[Replica, ...]:
        base = self.bases.get(target.base_model)
        return base.holders(target.engine_name or "") if base else ()

    @property
    def routable(self) -> frozenset[str]:
        """Every version requests may be sent to."""
        targets = [target for tenant in self.tenants.values() for target in tenant.targets.values()]
        running = frozenset(target.engine_name for target in targets if target.engine_name)
        return running | frozenset(target.canary.engine_name for target in targets if target.canary)

    @property
    def flips(self) -> Mapping[str, int]:
        """The flip generation of each routed adapter, by tenant and adapter."""
        targets = (target for tenant in self.tenants.values() for target in tenant.targets.values())
        return {f"{target.tenant}.{target.name}": target.flip for target in targets if target.flip}

    @cached_property
    def routes(self) -> GatewayState:
        """What an operator asks for of this catalog."""
        return GatewayState(generation=self.generation, flips=self.flips, routable=self.routable)

    @property
    def canaries(self) -> frozenset[str]:
        """Their names in comparisons."""
        targets = (target for tenant in self.tenants.values() for target in tenant.targets.values())
        return frozenset(target.canary.comparison for target in targets if target.canary)


class TenantEntries:
    """Entries made before. A tenant's is made anew only if an object is another one that it depends on: of many
    adapters, few change at a time."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[_Inputs, TenantEntry]] = {}

    def entry(self, tenant: Tenant, inputs: "_Inputs", rules: Rules) -> TenantEntry:
        made = self._made.get(tenant.name)
        entry = made[1] if made and made[0].is_same(inputs) else _tenant(tenant, inputs, rules)
        self._made[tenant.name] = (inputs, entry)  # earlier inputs are not kept
        return entry

    def keep(self, names: Collection[str]) -> None:
        self._made = {name: made for name, made in self._made.items() if name in names}


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What a tenant's entry is made of: the Tenant and others that claim its namespace, all base models, and what is in
    the namespace."""

    claims: Sequence[Tenant]
    base_models: Sequence[BaseModel]
    adapters: Sequence[Adapter]
    knowledge_bases: Sequence[KnowledgeBase]

    def is_same(self, other: "_Inputs") -> bool:
        """Of base models the specs count: their statuses change with their replicas."""
        return self._ids == other._ids and self._specs == other._specs

    @property
    def _ids(self) -> list[list[int]]:
        return [[*map(id, items)] for items in (self.claims, self.adapters, self.knowledge_bases)]

    @property
    def _specs(self) -> list[tuple[str, object]]:
        return [(base.name, base.spec) for base in self.base_models]


def build_catalog(snapshot: Snapshot, now: datetime, entries: TenantEntries | None = None) -> Catalog:
    """`entries` are those of the catalog before."""
    objects, entries = snapshot.objects, entries or TenantEntries()
    rules, owner_of = rules_of(objects, now), owners(objects.tenants)
    claims: dict[str, list[Tenant]] = defaultdict(list)
    for tenant in objects.tenants:
        claims[tenant.spec.namespace].append(tenant)
    adapters, knowledge_bases = _by_namespace(objects.adapters), _by_namespace(objects.knowledge_bases)
    tenants = {}
    for tenant in objects.tenants:
        if rules.verdict(tenant).holds:
            namespace = tenant.spec.namespace
            inputs = _Inputs(
                claims[namespace],
                objects.base_models,
                adapters.get(namespace, ()),
                knowledge_bases.get(namespace, ()),
            )
            tenants[tenant.name] = entries.entry(tenant, inputs, rules)
    entries.keep(tenants)
    return Catalog(
        generation=snapshot.generation,
        principals=_principals(snapshot, rules, owner_of),
        tenants=tenants,
        bases=_bases(snapshot),
    )


def _by_namespace(items: Sequence[R]) -> Mapping[str, Sequence[R]]:
    grouped: dict[str, list[R]] = defaultdict(list)
    for item in items:
        grouped[item.namespace].append(item)
    return grouped


def _principals(snapshot: Snapshot, rules: Rules, owner_of: Mapping[str, str]) -> dict[tuple[str, str], Principal]:
    return {
        (key.namespace, key.spec.sha256): Principal(
            tenant=owner_of[key.namespace],
            models=None if key.spec.models is None else frozenset(key.spec.models),
            expires_at=key.spec.expires_at,
            scopes=key.spec.scopes,
            key=(key.namespace, key.spec.sha256),
        )
        for key in snapshot.objects.api_keys
        if rules.verdict(key).holds
    }


def _tenant(tenant: Tenant, inputs: _Inputs, rules: Rules) -> TenantEntry:
    name = tenant.name
    names = frozenset(b.name for b in inputs.base_models)
    bases = [b for b in inputs.base_models if b.spec.allows(name)]
    own = [Target(tenant=name, name=b.name, base_model=b.name, engine_name=b.name) for b in bases]
    targets = [*_aliases(own, bases), *own]  # the last of one name counts
    targets += [_adapter_target(a, name, names) for a in inputs.adapters if _is_served(a, rules.verdict(a))]
    refused = frozenset(k.name for k in inputs.knowledge_bases if not k.may_be_searched(_verdict(k, rules)))
    return TenantEntry(
        name=name,
        limits=tenant.spec.limits,
        slo=tenant.spec.slo,
        targets={target.alias or target.name: target for target in targets},
        knowledge_bases={k.name: k.spec for k in inputs.knowledge_bases if k.name not in refused},
        refused_knowledge_bases=refused,
    )


def _aliases(targets: Sequence[Target], bases: Sequence[BaseModel]) -> list[Target]:
    """Base models by their further names. Of two with one name, the first by their own names is last here."""
    pairs = sorted(zip(targets, bases, strict=True), key=lambda pair: pair[0].name, reverse=True)
    return [replace(target, alias=alias) for target, base in pairs for alias in base.spec.served_names]


def _is_served(adapter: Adapter, verdict: Condition) -> bool:
    """A refused edit keeps the running version, unless the right to it is lost."""
    return verdict.holds or (adapter.status.active is not None and verdict.reason not in REVOKING)


def _verdict(knowledge_base: KnowledgeBase, rules: Rules) -> Condition:
    """Prefers the operator's verdict: only the operator knows the tenants' folders of documents."""
    return find(knowledge_base.status.conditions, ACCEPTED) or rules.verdict(knowledge_base)


def _failed_for_good(adapter: Adapter) -> bool:
    """The object or its artifact must change before this adapter can answer."""
    fetched = find(adapter.status.conditions, FETCHED)
    return fetched is not None and fetched.status == "False" and fetched.reason not in ON_ITS_WAY


def _adapter_target(adapter: Adapter, tenant: str, bases: frozenset[str]) -> Target:
    """An adapter whose base model is gone is refused."""
    active, canary = adapter.status.active, adapter.status.canary
    base = active.base_model if active else adapter.spec.base_model
    return Target(
        tenant=tenant,
        name=adapter.name,
        base_model=base,
        engine_name=active.engine_name if active else None,
        flip=active.generation if active else 0,
        knowledge_bases=adapter.spec.knowledge_bases,
        prompt=active.prompt if active else None,
        canary=_canary(adapter, tenant, canary) if canary and active else None,
        refused=base not in bases or (active is None and _failed_for_good(adapter)),
        versions=_versions(adapter.status),
        is_on_demand=find(adapter.status.conditions, RESIDENT) is not None,
        homes=adapter.spec.residency.replicas or 1,
    )


def _canary(adapter: Adapter, tenant: str, version: CanaryVersion) -> Canary:
    name = comparison(tenant, adapter.name, version.digest)
    return Canary(version.engine_name, version.weight, name, version.prompt)


def _versions(status: AdapterStatus) -> tuple[LoadedVersion, ...]:
    """A repeated version is the active one."""
    roles: list[tuple[Role, Version | None]] = [("active", status.active), ("trial", status.canary)]
    roles += [("earlier", version) for version in status.previous]
    found: dict[str, LoadedVersion] = {}
    for role, version in roles:
        if version:
            id_ = short(version.digest)
            found.setdefault(id_, LoadedVersion(id_, version.engine_name, role, version.prompt))
    return tuple(found.values())


def _bases(snapshot: Snapshot) -> dict[str, Base]:
    slices: dict[str, list[AdapterSlice]] = defaultdict(list)
    for each in snapshot.adapter_slices:
        slices[each.spec.base_model].append(each)
    return {base.name: _base(base, slices[base.name]) for base in snapshot.objects.base_models}


def _base(base: BaseModel, slices: Sequence[AdapterSlice]) -> Base:
    ready = {endpoint.name: Replica(url=endpoint.url) for endpoint in base.status.endpoints if endpoint.ready}
    return Base(
        name=base.name,
        max_model_length=base.spec.max_model_length,
        calls_tools=base.spec.tool_parser is not None,
        template_kwargs=frozenset(base.spec.chat_template_kwargs),
        media=frozenset(base.spec.media),
        hold_s=base.spec.autoscaling.hold_seconds if base.spec.autoscaling and base.spec.scales_to_zero else 0,
        replicas=tuple(ready.values()),
        answering={version: replicas for each in slices for version, replicas in _answering(each, ready)},
    )


def _answering(adapter_slice: AdapterSlice, ready: Mapping[str, Replica]) -> Iterator[tuple[str, tuple[Replica, ...]]]:
    """The replicas of each version that are ready, in the order of their names."""
    replicas: dict[frozenset[str], tuple[Replica, ...]] = {}  # most versions are on the same ones
    for version, names in adapter_slice.replicas.items():
        if names not in replicas:
            replicas[names] = tuple(ready[name] for name in sorted(names) if name in ready)
        yield version, replicas[names]
