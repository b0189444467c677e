"""The stored slices of base models, indexed by version and by adapter. It does no I/O."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from contract.adapter_slice import AdapterSlice
from contract.agent import AdapterName
from contract.engine_name import EngineName

_NOWHERE: Mapping[str, frozenset[str]] = {}


@dataclass(frozen=True)
class StoredSlice:
    """`version` changes with every change."""

    item: AdapterSlice
    version: str


class SliceIndex:
    """`due` collects the adapters whose reports changed since the slices of their base model were written."""

    def __init__(self) -> None:
        self.stored: dict[str, StoredSlice] = {}
        self._names: dict[str, set[str]] = defaultdict(set)  # by base model
        self._slice_of: dict[str, dict[str, str]] = defaultdict(dict)  # by base model and version
        self._replicas: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)  # by base model and version
        self._versions: dict[str, dict[AdapterName, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._due: dict[str, set[AdapterName] | None] = {}  # by base model; None: all

    def set(self, before: StoredSlice | None, after: StoredSlice | None) -> Set[AdapterName]:
        """Returns the adapters with a version that answers on other replicas than before."""
        old = before.item.replicas if before else _NOWHERE
        new = after.item.replicas if after else _NOWHERE
        if before:
            self._remove(before.item)
        if after:
            self._add(after.item)
            self.stored[after.item.name] = after
        return _adapters(version for version in old.keys() | new.keys() if old.get(version) != new.get(version))

    def _remove(self, item: AdapterSlice) -> None:
        base = item.spec.base_model
        self.stored.pop(item.name, None)
        self._names[base].discard(item.name)
        for version in item.replicas:
            if self._slice_of[base].get(version) == item.name:
                del self._slice_of[base][version], self._replicas[base][version]
                if name := adapter_of(version):
                    self._versions[base][name].discard(version)

    def _add(self, item: AdapterSlice) -> None:
        base = item.spec.base_model
        self._names[base].add(item.name)
        self._slice_of[base] |= dict.fromkeys(item.replicas, item.name)
        self._replicas[base] |= item.replicas
        for version in item.replicas:
            if name := adapter_of(version):
                self._versions[base][name].add(version)

    def of_base(self, base: str) -> dict[str, AdapterSlice]:
        return {name: self.stored[name].item for name in self._names.get(base, ())}

    def slice_of(self, base: str) -> Mapping[str, str]:
        """The name of the slice of each version."""
        return self._slice_of.get(base, {})

    def replicas(self, base: str) -> Mapping[str, frozenset[str]]:
        """By version, the replicas on which it answers, as gateways read them."""
        return self._replicas.get(base, _NOWHERE)

    def versions(self, base: str, adapter: AdapterName) -> Set[str]:
        """The versions of an adapter in slices."""
        return self._versions[base].get(adapter, frozenset()) if base in self._versions else frozenset()

    # What is due ---------------------------------------------------------------------------------------------

    def due(self, base: str, adapters: Iterable[AdapterName]) -> None:
        """The reports about these adapters changed."""
        due = self._due.setdefault(base, set())
        if due is not None:
            due.update(adapters)

    def all_due(self, base: str) -> None:
        """Replicas came, went or fell silent; or slices could not be written."""
        self._due[base] = None

    def take_due(self, base: str) -> Set[AdapterName] | None:
        """None: all. They count as written from here on."""
        return self._due.pop(base, set())


def adapter_of(version: str) -> AdapterName | None:
    name = EngineName.parse(version)
    return (name.tenant, name.adapter) if name else None


def _adapters(versions: Iterable[str]) -> Set[AdapterName]:
    return {name for version in versions if (name := adapter_of(version))}
