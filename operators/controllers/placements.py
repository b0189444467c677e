"""The desired sets of a base model's replicas, decided anew only for adapters that changed (pure).

While there is room for every version, what one adapter gets depends on no other adapter: the sets of the adapters that
changed replace theirs in the last placement. Without room, or after any other change, everything is decided anew.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from contract import conditions as c
from contract.agent import DesiredAdapter, DesiredSet
from contract.conditions import Condition
from contract.resource import Key
from operators.desired.adapters import Placement

Name = tuple[str, str]
"""A tenant and one of its adapters."""
Place = Callable[[Set[Key] | None], Sequence[Placement]]
"""Places these adapters alone, or all, on each replica."""


@dataclass(frozen=True)
class _Last:
    """`basis` is all that decides beside the adapters, `items` are by adapter, for each replica."""

    basis: object
    items: Sequence[Mapping[Name, tuple[DesiredAdapter, ...]]]
    unplaced: Mapping[Key, Condition]


class Placements:
    """Of one base model."""

    def __init__(self) -> None:
        self._last: _Last | None = None
        self._touched: set[Key] | None = None  # None: anything may have changed

    def touch(self, key: Key) -> None:
        """This adapter, or a report about it, changed."""
        if self._touched is not None:
            self._touched.add(key)

    def forget(self) -> None:
        """Anything may have changed."""
        self._touched = None

    def next(self, basis: object, *, room: int, name: Callable[[Key], Name], place: Place) -> Sequence[Placement]:
        """The placement of each replica. `room` is for versions on each; `name` is of an adapter that was touched."""
        touched, last = self._touched, self._last
        self._touched = None  # until everything is decided
        if touched is None or last is None or last.basis != basis or not _has_room(last, len(touched), room):
            placements = place(None)
            self._last = _Last(basis, [_by_adapter(each.desired) for each in placements], _unplaced(placements))
        else:
            self._last = _merged(last, touched, {name(key) for key in touched}, place(touched))
        self._touched = set()
        return [
            Placement(
                DesiredSet(adapters=tuple(item for group in items.values() for item in group)), self._last.unplaced
            )
            for items in self._last.items
        ]

    @property
    def leaving(self) -> Set[Name]:
        """Adapters with versions that stay until gateways have let them go."""
        groups = (group for items in (self._last.items if self._last else ()) for group in items.values())
        return {(item.tenant, item.adapter) for group in groups for item in group if item.source is None}


def _has_room(last: _Last, touched: int, room: int) -> bool:
    """True if all versions fit, and each adapter that was touched may have several more."""
    is_full = any(reason.reason == c.NO_SLOT for reason in last.unplaced.values())
    most = max((sum(map(len, items.values())) for items in last.items), default=0)
    return not is_full and most + _MOST_VERSIONS * touched <= room


_MOST_VERSIONS = 9  # of an adapter: active, canary, candidate, five earlier ones, and one that leaves


def _merged(last: _Last, touched: Set[Key], names: Set[Name], placements: Sequence[Placement]) -> _Last:
    items = [
        {**{name: group for name, group in before.items() if name not in names}, **_by_adapter(placement.desired)}
        for before, placement in zip(last.items, placements, strict=True)
    ]
    kept = {key: reason for key, reason in last.unplaced.items() if key not in touched}
    return replace(last, items=items, unplaced={**kept, **_unplaced(placements)})


def _by_adapter(desired: DesiredSet) -> dict[Name, tuple[DesiredAdapter, ...]]:
    groups: dict[Name, tuple[DesiredAdapter, ...]] = {}
    for item in desired.adapters:
        name = (item.tenant, item.adapter)
        groups[name] = (*groups.get(name, ()), item)
    return groups


def _unplaced(placements: Sequence[Placement]) -> dict[Key, Condition]:
    return {key: reason for placement in placements for key, reason in placement.unplaced.items()}
