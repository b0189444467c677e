"""The desired versions of one replica, by adapter (pure)."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from contract.agent import AdapterName, DesiredAdapter, DesiredSet, VersionName

Items = tuple[DesiredAdapter, ...]
Residents = frozenset[VersionName]


@dataclass(frozen=True)
class DesiredItems:
    """`changed` are all adapters whose versions are others than in the value before; None if any may be. `residents`
    as in DesiredSet. `by_adapter` is never changed: successors copy it."""

    by_adapter: Mapping[AdapterName, Items]
    total: int
    """The sum of the numbers of all items; see contract.agent.set_digest."""
    changed: Set[AdapterName] | None = None
    residents: Residents | None = None

    @property
    def complete(self) -> DesiredSet:
        """Serving versions come first: an agent fetches them in this order."""
        items = (item for each in self.by_adapter.values() for item in each)
        ordered = tuple(sorted(items, key=lambda item: not item.required))
        return DesiredSet.model_construct(adapters=ordered, residents=self.residents)
