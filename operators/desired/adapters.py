"""Adapters and versions in use → the desired set of an agent (pure)."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from contract import conditions as c
from contract.acceptance import Verdicts, owners
from contract.adapter import Adapter, Version
from contract.agent import AdapterReport, AgentStatus, DesiredAdapter, verified_revision
from contract.base_model import BaseModel
from contract.conditions import Condition, condition
from contract.gateway import GatewayState
from contract.objects import Objects
from contract.resource import Key
from contract.value import compacted
from operators.desired.memo import Memo

# The states of gateways with the adapter's last flip, by tenant and adapter name. Empty means unknown.
Gateways = Callable[[str, str], Sequence[GatewayState]]
Revisions = Mapping[Key, str]
Credentials = Mapping[Key, Mapping[str, str]]


@dataclass(frozen=True)
class Placement:
    """`adapters` are in the order of their importance; `unplaced` maps each unplaced candidate to the reason."""

    adapters: tuple[DesiredAdapter, ...]
    unplaced: Mapping[Key, Condition]


@dataclass
class _Slots:
    """A base model's room for versions, filled in order of importance."""

    room: int
    items: list[DesiredAdapter] = field(default_factory=list)
    names: set[tuple[str, str, str | None]] = field(default_factory=set)

    @property
    def distinct_items(self) -> tuple[DesiredAdapter, ...]:
        """One item for each content, the most important one with a source. Versions may differ in their prompts alone,
        and a leaving version may be an earlier one."""
        once: dict[tuple[str, str, str], DesiredAdapter] = {}
        for item in self.items:
            name = item.version_name
            if name not in once or once[name].source is None:
                once[name] = item
        return tuple(once.values())

    def must(self, item: DesiredAdapter) -> None:
        """Places a serving version, unconditionally."""
        name = _name(item)
        if item.digest is None or name not in self.names:
            self.names.add(name)
            self.items.append(item)

    def may(self, item: DesiredAdapter, digest: str | None = None) -> bool:
        """Places a version if there is room. `digest` is the resolved digest of an unpinned item, if known."""
        name = (item.tenant, item.adapter, digest or item.digest or item.revision)
        if name not in self.names and len(self.names) >= self.room:
            return False
        self.names.add(name)
        self.items.append(item)
        return True


def fill_slots(
    objects: Objects,
    base: BaseModel,
    *,
    verdicts: Verdicts,
    revisions: Revisions,
    report: AgentStatus | None,
    gateways: Gateways,
    credentials: Credentials,
    tried_elsewhere: Set[Key] = frozenset(),
    memo: Memo[DesiredAdapter] | None = None,
) -> Placement:
    """The desired versions of one replica: wanted ones, and those still in use.

    A version is removed only after every gateway confirms the end of its requests. Without a gateway nothing is
    removed. Wanted versions are placed in this order: running ones, canaries, candidates, earlier versions for a
    rollback; of each kind, tenants get places in turns. `tried_elsewhere` are candidates reserved for another replica's
    first try. `memo` has the items of earlier calls.
    """
    make = _Items(memo or Memo(), owners(objects.tenants), credentials)
    slots = _Slots(base.spec.lora.versions)
    adapters = _in_turns(objects.adapters)
    unplaced: dict[Key, Condition] = {}
    reports = {entry.version_name: entry for entry in (report.adapters if report else ())}
    for item in make.running(adapters, base):
        slots.must(item)
    for item in _leaving(report, gateways, slots.names):
        slots.must(item)
    candidates = (a for a in adapters if a.spec.source and verdicts[a.key].holds and a.spec.base_model == base.name)
    for adapter in (a for a in candidates if a.key not in tried_elsewhere):
        if obstacle := _obstacle(adapter, revisions[adapter.key], credentials):
            unplaced[adapter.key] = obstacle
            continue
        item = make.candidate(adapter, revisions[adapter.key])
        if not slots.may(item, _expected(adapter, reports.get(item.version_name))):
            unplaced[adapter.key] = _no_slot(base)
    for item in make.earlier(adapters, base):
        slots.may(item)
    return Placement(slots.distinct_items, unplaced)


def _in_turns(adapters: Sequence[Adapter]) -> list[Adapter]:
    """The first adapter of each namespace, then the second of each: none takes all places."""
    turns: Counter[str] = Counter()
    order: list[tuple[int, str, str, Adapter]] = []
    for adapter in sorted(adapters, key=lambda each: (each.namespace, each.name)):
        order.append((turns[adapter.namespace], adapter.namespace, adapter.name, adapter))
        turns[adapter.namespace] += 1
    return [adapter for *_, adapter in sorted(order, key=lambda entry: entry[:3])]


def _expected(adapter: Adapter, report: AdapterReport | None) -> str | None:
    """The candidate's digest: the reported one, or the active one if the source is unedited."""
    if report and report.digest:
        return report.digest
    active = adapter.status.active
    return active.content_digest if active and active.source == adapter.spec.source else None


def _obstacle(adapter: Adapter, revision: str, credentials: Credentials) -> Condition | None:
    if adapter.harms(revision):
        return _harmful(adapter)
    if adapter.spec.fine_tune:
        return _not_trained(adapter)
    if adapter.spec.credentials and adapter.key not in credentials:
        return _no_secret(adapter)
    return None


def _no_slot(base: BaseModel) -> Condition:
    message = f"base model {base.name} has no room for more than {base.spec.lora.versions} versions"
    return condition(c.FETCHED, False, c.NO_SLOT, f"{message}; remove an adapter, or raise lora.onDemand")


def _not_trained(adapter: Adapter) -> Condition:
    message = f"FineTune {adapter.spec.fine_tune} has no result yet; its status says why, if there is such a FineTune"
    return condition(c.FETCHED, False, c.WAITING, message)


def _no_secret(adapter: Adapter) -> Condition:
    message = f"there is no Secret {adapter.spec.credentials} in namespace {adapter.namespace}; create it"
    return condition(c.FETCHED, False, c.SECRET_MISSING, message)


def _harmful(adapter: Adapter) -> Condition:
    rejected = adapter.status.rejected
    reason, message = (rejected.reason, rejected.message) if rejected else ("", "")
    return condition(c.FETCHED, False, reason, f"{message}; give the adapter another source")


def source_revision(adapter: Adapter) -> str:
    """The revision of a source: it changes with the URI, the pin or the base model."""
    facts = f"{adapter.spec.source}\0{adapter.spec.digest}\0{adapter.spec.base_model}"
    return f"source:{hashlib.sha256(facts.encode()).hexdigest()[:16]}"


def in_use(
    report: AgentStatus | None, gateways: Gateways, *, but: Set[tuple[str, str, str | None]] = frozenset()
) -> tuple[AdapterReport, ...]:
    """Versions on a replica with current or possible requests from a gateway; those in `but` are not looked at."""
    return tuple(
        entry
        for entry in (report.adapters if report else ())
        if entry.engine_name
        and (entry.tenant, entry.adapter, entry.digest) not in but
        and not _released(entry, gateways(entry.tenant, entry.adapter))
    )


def _released(entry: AdapterReport, gateways: Sequence[GatewayState]) -> bool:
    return bool(gateways) and all(gateway.released(entry.engine_name or "") for gateway in gateways)


def _leaving(
    report: AgentStatus | None, gateways: Gateways, placed: Set[tuple[str, str, str | None]]
) -> Iterator[DesiredAdapter]:
    for item in in_use(report, gateways, but=placed):
        if item.digest:
            yield DesiredAdapter(
                tenant=item.tenant,
                adapter=item.adapter,
                source=None,
                revision=verified_revision(item.digest),
                digest=item.digest,
            )


class _Items:
    """The items of adapters' versions. `tenants` are by namespace."""

    def __init__(self, memo: Memo[DesiredAdapter], tenants: Mapping[str, str], credentials: Credentials) -> None:
        self._memo = memo
        self._tenants = tenants
        self._credentials = credentials

    def running(self, adapters: Iterable[Adapter], base: BaseModel) -> Iterator[DesiredAdapter]:
        for adapter in adapters:
            active, canary = adapter.status.active, adapter.status.canary
            if adapter.namespace not in self._tenants:
                continue
            if active and active.base_model == base.name and not active.is_base:
                yield self._verified(adapter, "active", active)
            if canary and canary.base_model == base.name and not canary.is_base:
                yield self._verified(adapter, "canary", canary)

    def earlier(self, adapters: Iterable[Adapter], base: BaseModel) -> Iterator[DesiredAdapter]:
        """The newest earlier version of every adapter comes before the second newest of any."""
        kept = [
            (age, self._verified(adapter, f"earlier {age}", version))
            for adapter in adapters
            if adapter.namespace in self._tenants
            for age, version in enumerate(adapter.status.previous)
            if version.base_model == base.name and not version.is_base
        ]
        yield from (item for _, item in sorted(kept, key=lambda pair: pair[0]))

    def candidate(self, adapter: Adapter, revision: str) -> DesiredAdapter:
        tenant, secret = self._tenants[adapter.namespace], self._secret(adapter)
        return self._memo.get(
            adapter.key,
            "candidate",
            adapter.spec,
            (tenant, revision, secret),
            lambda: compacted(
                DesiredAdapter(
                    tenant=tenant,
                    adapter=adapter.name,
                    source=adapter.spec.source,
                    revision=revision,
                    digest=adapter.spec.digest,
                    credentials=secret,
                )
            ),
        )

    def _verified(self, adapter: Adapter, role: str, version: Version) -> DesiredAdapter:
        """A verified version: from the agent's store, or, on a new replica, from its source again."""
        tenant, secret = self._tenants[adapter.namespace], self._secret(adapter)
        return self._memo.get(
            adapter.key,
            role,
            version,
            (tenant, secret),
            lambda: compacted(
                DesiredAdapter(
                    tenant=tenant,
                    adapter=adapter.name,
                    source=version.source,
                    revision=verified_revision(version.content_digest),
                    digest=version.content_digest,
                    required=role == "active",
                    fingerprint=version.fingerprint,
                    credentials=secret,
                )
            ),
        )

    def _secret(self, adapter: Adapter) -> tuple[tuple[str, str], ...]:
        secret = self._credentials.get(adapter.key)
        return tuple(sorted(secret.items())) if secret else ()


def _name(item: DesiredAdapter) -> tuple[str, str, str | None]:
    return (item.tenant, item.adapter, item.digest)
