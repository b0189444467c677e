"""All that an agent reported of its replica, put together from changes (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contract.agent import AdapterName, AdapterReport, AgentStatus, VersionName

Entries = Mapping[AdapterName, tuple[AdapterReport, ...]]


@dataclass(frozen=True)
class ReplicaReport:
    """`entries` are by tenant and adapter; see AgentStatus for the rest."""

    ready: bool
    started: float | None
    spoiled_by: str | None = None
    entries: Entries = field(default_factory=dict)

    @classmethod
    def of(cls, status: AgentStatus, before: "ReplicaReport | None" = None) -> "ReplicaReport":
        """`before` is the report up to the version since which the status has changes."""
        old = before.entries if before and status.since is not None else {}
        new = _grouped(status.adapters)
        gone = {(tenant, adapter) for tenant, adapter, _ in status.removed}
        merged = dict(old)
        for name in {*new, *gone}:
            entries = _merged(old.get(name, ()), new.get(name, ()), status.removed if name in gone else ())
            merged.pop(name, None)
            merged |= {name: entries} if entries else {}
        return cls(status.ready, status.started, status.spoiled_by, merged)

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
    """Unchanged entries are the same objects in both."""
    old, new = before.entries if before else {}, after.entries if after else {}
    return {name for name in old.keys() | new.keys() if _differ(old.get(name), new.get(name))}


def _differ(old: tuple[AdapterReport, ...] | None, new: tuple[AdapterReport, ...] | None) -> bool:
    return old is not new and old != new


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
