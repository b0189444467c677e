"""The desired sets of a base model's replicas, decided anew only where something changed (pure).

While there is room for every version, what one adapter gets depends on no other adapter, and what one replica gets on
another replica only for unproven versions: the items of touched adapters replace theirs in the last placement, and a
new replica is decided alone. Without room, or after any other change, everything is decided anew.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from contract import conditions as c
from contract.agent import AdapterName, DesiredAdapter
from contract.conditions import Condition
from contract.resource import Key
from operators.desired.adapters import Placement
from operators.desired.desired_items import DesiredItems, Items, Residents
from operators.desired.sharded_map import ShardedMap


@dataclass(frozen=True)
class Decision:
    """A placement for each requested replica. `unproven` are the adapters whose version only one replica
    may try."""

    placements: Sequence[Placement]
    unproven: Set[Key] = frozenset()


Decide = Callable[[Sequence[str], Set[Key] | None], Decision]
"""Decides for these replicas, by uid, on these adapters alone or on all."""


@dataclass(frozen=True)
class State:
    """What decides about a replica beside its reports on single adapters."""

    reports: bool
    ready: bool


@dataclass(frozen=True)
class Placed:
    """The versions of one replica. `changed` are the adapters whose versions may be others than before; None: any."""

    by_adapter: ShardedMap[AdapterName, Items]
    unplaced: Mapping[Key, Condition]
    leaving: Set[AdapterName]
    """Adapters with versions that stay until gateways have let them go."""
    count: int
    total: int
    """The sum of the versions' numbers: equal for replicas with equal versions."""
    changed: Set[AdapterName] | None = None

    @classmethod
    def of(cls, placement: Placement) -> "Placed":
        return cls(
            ShardedMap(_by_adapter(placement.adapters)),
            placement.unplaced,
            _leaving(placement.adapters),
            len(placement.adapters),
            _total(placement.adapters),
        )

    def replaced(self, keys: Set[Key], names: Set[AdapterName], placement: Placement) -> "Placed":
        """With the new versions of these adapters."""
        new = _by_adapter(placement.adapters)
        before = [item for name in names for item in self.by_adapter.get(name, ())]
        kept = {key: reason for key, reason in self.unplaced.items() if key not in keys}
        return Placed(
            self.by_adapter.updated({name: new.get(name) for name in names}),
            {**kept, **placement.unplaced},
            (self.leaving - names) | _leaving(placement.adapters),
            self.count - len(before) + len(placement.adapters),
            self.total - _total(before) + _total(placement.adapters),
            names,
        )

    def fits(self, room: int) -> bool:
        """Otherwise what one adapter gets depends on the others."""
        return self.count <= room and not any(reason.reason == c.NO_SLOT for reason in self.unplaced.values())

    def desired(self, residents: Residents | None) -> DesiredItems:
        return DesiredItems(self.by_adapter, self.total, self.changed, residents)


@dataclass(frozen=True)
class _Last:
    """`basis` is all that decides beside the adapters and the replicas."""

    basis: object
    states: Mapping[str, State]
    placed: Mapping[str, Placed]
    unproven: Set[Key] = field(default_factory=frozenset)


class Placements:
    """Of one base model."""

    def __init__(self) -> None:
        self._last: _Last | None = None
        self._touched: set[Key] | None = None  # None: anything may have changed

    @property
    def leaving(self) -> Set[AdapterName]:
        """Adapters with versions that stay until gateways have let them go."""
        placed = self._last.placed.values() if self._last else ()
        return frozenset[AdapterName]().union(*(each.leaving for each in placed))

    def touch(self, key: Key) -> None:
        """This adapter, or a report about it, changed."""
        if self._touched is not None:
            self._touched.add(key)

    def forget(self) -> None:
        """Anything may have changed."""
        self._touched = None

    def next(
        self,
        basis: object,
        states: Mapping[str, State],
        *,
        room: int,
        name: Callable[[Key], AdapterName],
        decide: Decide,
    ) -> Mapping[str, Placed]:
        """The placement of each replica, by uid. `room` is for versions on each; `name` is of a touched adapter."""
        touched, last = self._touched, self._last
        self._touched = None  # until everything is decided
        merged = None
        if touched is not None and last and last.basis == basis:
            merged = _merged(last, states, touched, name, decide)
        if merged is None or not all(each.fits(room) for each in merged.placed.values()):
            merged = _whole(basis, states, decide)
        self._last, self._touched = merged, set()
        return merged.placed


def _whole(basis: object, states: Mapping[str, State], decide: Decide) -> _Last:
    decision = decide([*states], None)
    placed = {uid: Placed.of(each) for uid, each in zip(states, decision.placements, strict=True)}
    return _Last(basis, states, placed, decision.unproven)


def _merged(
    last: _Last, states: Mapping[str, State], touched: Set[Key], name: Callable[[Key], AdapterName], decide: Decide
) -> _Last:
    """Which replica may try an unproven version depends on all of them."""
    keys = touched if states == last.states else touched | last.unproven
    names = {name(key) for key in keys}
    kept = [uid for uid in states if _is_kept(uid, last, states)]
    new = [uid for uid in states if uid not in kept]
    decision = decide(kept, keys) if keys and kept else Decision([Placement((), {})] * len(kept))
    whole = decide(new, None) if new else Decision([])
    placed = {
        uid: last.placed[uid].replaced(keys, names, each)
        for uid, each in zip(kept, decision.placements, strict=True)
    }  # fmt: skip
    placed |= {uid: Placed.of(each) for uid, each in zip(new, whole.placements, strict=True)}
    unproven = (last.unproven - keys) | decision.unproven | whole.unproven
    return _Last(last.basis, states, {uid: placed[uid] for uid in states}, unproven)


def _is_kept(uid: str, last: _Last, states: Mapping[str, State]) -> bool:
    return uid in last.states and last.states[uid].reports == states[uid].reports


def _by_adapter(items: Sequence[DesiredAdapter]) -> dict[AdapterName, Items]:
    grouped: dict[AdapterName, list[DesiredAdapter]] = {}
    for item in items:
        grouped.setdefault((item.tenant, item.adapter), []).append(item)
    return {name: tuple(each) for name, each in grouped.items()}


def _total(items: Iterable[DesiredAdapter]) -> int:
    return sum(item.number for item in items)


def _leaving(items: Sequence[DesiredAdapter]) -> frozenset[AdapterName]:
    return frozenset((item.tenant, item.adapter) for item in items if item.source is None)
