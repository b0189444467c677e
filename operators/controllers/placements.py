"""The desired sets of a base model's replicas, decided anew only for adapters that changed (pure).

While there is room for every version, what one adapter gets depends on no other adapter: the items of the adapters that
changed replace theirs in the last placement. Without room, or after any other change, everything is decided anew.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from contract import conditions as c
from contract.agent import DesiredAdapter, DesiredSet
from contract.conditions import Condition
from contract.resource import Key
from operators.desired.adapters import Placement

Name = tuple[str, str]
"""A tenant and one of its adapters."""
Items = tuple[DesiredAdapter, ...]
"""In the order of their importance, in which an agent fetches them."""
Decide = Callable[[Set[Key] | None], Sequence[Placement]]
"""Decides on these adapters alone, or on all, for each replica."""


@dataclass(frozen=True)
class _Last:
    """`basis` is all that decides beside the adapters, `items` are for each replica."""

    basis: object
    items: Sequence[Items]
    unplaced: Mapping[Key, Condition]


class Placements:
    """Of one base model."""

    def __init__(self) -> None:
        self._last: _Last | None = None
        self._touched: set[Key] | None = None  # None: anything may have changed
        self.leaving: Set[Name] = frozenset()
        """Adapters with versions that stay until gateways have let them go."""

    def touch(self, key: Key) -> None:
        """This adapter, or a report about it, changed."""
        if self._touched is not None:
            self._touched.add(key)

    def forget(self) -> None:
        """Anything may have changed."""
        self._touched = None

    def next(self, basis: object, *, room: int, name: Callable[[Key], Name], decide: Decide) -> Sequence[Placement]:
        """The placement of each replica. `room` is for versions on each; `name` is of an adapter that was touched."""
        touched, last = self._touched, self._last
        self._touched = None  # until everything is decided
        merged = None
        if touched is not None and last and last.basis == basis:
            merged = _merged(last, touched, {name(key) for key in touched}, decide)
        self._last = merged if merged and _all_fit(merged, room) else _whole(basis, decide(None))
        self._touched = set()
        self.leaving = frozenset(_adapter(item) for items in self._last.items for item in items if item.source is None)
        return [Placement(DesiredSet(adapters=items), self._last.unplaced) for items in self._last.items]


def _whole(basis: object, placements: Sequence[Placement]) -> _Last:
    return _Last(basis, [placement.desired.adapters for placement in placements], _unplaced(placements))


def _all_fit(last: _Last, room: int) -> bool:
    """Otherwise what one adapter gets depends on the others."""
    is_full = any(reason.reason == c.NO_SLOT for reason in last.unplaced.values())
    return not is_full and max(map(len, last.items), default=0) <= room


def _merged(last: _Last, touched: Set[Key], names: Set[Name], decide: Decide) -> _Last:
    placements = decide(touched) if touched else [Placement(DesiredSet(), {}) for _ in last.items]
    items = [
        _replaced(before, names, placement.desired.adapters)
        for before, placement in zip(last.items, placements, strict=True)
    ]
    kept = {key: reason for key, reason in last.unplaced.items() if key not in touched}
    return _Last(last.basis, items, {**kept, **_unplaced(placements)})


def _replaced(before: Items, names: Set[Name], new: Items) -> Items:
    """What stays keeps its place, so that an equal set is sent to nobody. A new version that serves requests comes
    after the last of these, and any other at the end."""
    fresh = {_version(item): item for item in new}
    kept = [fresh.pop(_version(item), None) if _adapter(item) in names else item for item in before]
    stay = [item for item in kept if item]
    at = max((number for number, item in enumerate(stay, 1) if item.required), default=0)
    serving = [item for item in fresh.values() if item.required]
    others = [item for item in fresh.values() if not item.required]
    return (*stay[:at], *serving, *stay[at:], *others)


def _adapter(item: DesiredAdapter) -> Name:
    return (item.tenant, item.adapter)


def _version(item: DesiredAdapter) -> tuple[str, str, str]:
    return (item.tenant, item.adapter, item.revision)


def _unplaced(placements: Sequence[Placement]) -> dict[Key, Condition]:
    return {key: reason for placement in placements for key, reason in placement.unplaced.items()}
