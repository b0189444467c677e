"""All that an agent reported of its replica, put together from changes (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contract.agent import AdapterName, AdapterReport, AgentStatus, VersionName
from operators.desired.sharded_map import ShardedMap

Entries = ShardedMap[AdapterName, tuple[AdapterReport, ...]]


@dataclass(frozen=True, eq=False)
class ReplicaReport:
    """`entries` are by tenant and adapter; see AgentStatus for the rest."""

    ready: bool
    started: float | None
    spoiled_by: str | None = None
    entries: Entries = field(default_factory=Entries)

    @classmethod
    def of(cls, status: AgentStatus, before: "ReplicaReport | None" = None) -> "ReplicaReport":
        """`before` is the report up to the version since which the status has changes."""
        old = before.entries if before and status.since is not None else Entries()
        new = _grouped(status.adapters)
        gone = {(tenant, adapter) for tenant, adapter, _ in status.removed}
        changes = {
            name: _merged(old.get(name, ()), new.get(name, ()), status.removed if name in gone else ()) or None
            for name in {*new, *gone}
        }
        return cls(status.ready, status.started, status.spoiled_by, old.updated(changes) if changes else old)

    def about(self, names: Iterable[AdapterName] | None = None) -> AgentStatus:
        """The status with the entries about these adapters, or about all."""
        chosen = self.entries.values() if names is None else (self.entries.get(name, ()) for name in names)
        return AgentStatus.model_construct(
            version=0,
            ready=self.ready,
            started=self.started,
            spoiled_by=self.spoiled_by,
            adapters=tuple(entry for entries in chosen for entry in entries),
        )


def changed_adapters(before: ReplicaReport | None, after: ReplicaReport | None) -> set[AdapterName]:
    old, new = (report.entries if report else Entries() for report in (before, after))
    return old.difference(new)


def is_same(one: ReplicaReport | None, other: ReplicaReport | None) -> bool:
    if one is None or other is None:
        return one is other
    engines = [(each.ready, each.started, each.spoiled_by) for each in (one, other)]
    return engines[0] == engines[1] and not one.entries.difference(other.entries)


def _grouped(entries: Iterable[AdapterReport]) -> Mapping[AdapterName, tuple[AdapterReport, ...]]:
    grouped: dict[AdapterName, list[AdapterReport]] = {}
    for entry in entries:
        grouped.setdefault((entry.tenant, entry.adapter), []).append(entry)
    return {name: tuple(each) for name, each in grouped.items()}


def _merged(
    old: tuple[AdapterReport, ...], new: tuple[AdapterReport, ...], removed: Iterable[VersionName]
) -> tuple[AdapterReport, ...]:
    replaced = {entry.version_name for entry in new} | frozenset(removed)
    return (*(entry for entry in old if entry.version_name not in replaced), *new)
