"""What one adapter's change does to the placement of all."""

from collections.abc import Sequence, Set

import pytest

from contract import conditions as c
from contract.agent import DesiredAdapter
from contract.conditions import Condition, condition
from contract.resource import Key
from operators.controllers.placements import Decision, Placements, State
from operators.desired.adapters import Placement

FULL = condition(c.FETCHED, False, c.NO_SLOT, "no room")


def _key(name: str) -> Key:
    return Key(kind="Adapter", namespace="acme", name=name)


def _item(name: str, revision: str, *, required: bool = False) -> DesiredAdapter:
    return DesiredAdapter(tenant="acme", adapter=name, source="/x", revision=revision, required=required)


ANSWERS, SILENT = State(reports=True, ready=True), State(reports=False, ready=False)
STARTS = State(reports=True, ready=False)


class Decider:
    """Desires its items on every replica, and records the replicas and adapters of each call."""

    def __init__(self, **items: Sequence[DesiredAdapter]) -> None:
        self.items = dict(items)
        self.unplaced: dict[Key, Condition] = {}
        self.unproven: set[Key] = set()
        self.asked: list[tuple[list[str], Set[Key] | None]] = []
        self.placements = Placements()

    def decide(self, uids: Sequence[str], keys: Set[Key] | None) -> Decision:
        self.asked.append(([*uids], set(keys) if keys is not None else None))
        names = self.items if keys is None else [key.name for key in keys if key.name in self.items]
        items = tuple(item for name in names for item in self.items[name])
        unplaced = {key: reason for key, reason in self.unplaced.items() if keys is None or key in keys}
        return Decision([Placement(items, unplaced)] * len(uids), self.unproven)

    def next(self, basis: object = "", room: int = 10, **states: State) -> list[str]:
        """The versions of the first replica."""
        placed = self.placements.next(
            basis, states or {"one": ANSWERS}, room=room, name=lambda key: ("acme", key.name), decide=self.decide
        )
        first = next(iter(placed.values()))
        assert first.count == sum(map(len, first.by_adapter.values()))
        return sorted(f"{item.adapter}:{item.revision}" for items in first.by_adapter.values() for item in items)


def _decider() -> Decider:
    decider = Decider(a=[_item("a", "1", required=True), _item("a", "0")], b=[_item("b", "1", required=True)])
    assert decider.next() == ["a:0", "a:1", "b:1"]
    return decider


def test_only_what_was_touched_is_decided_anew() -> None:
    decider = _decider()
    decider.items["a"] = [_item("a", "2", required=True)]
    decider.placements.touch(_key("a"))
    assert decider.next() == ["a:2", "b:1"]
    assert decider.asked == [(["one"], None), (["one"], {_key("a")})]
    assert decider.next() == ["a:2", "b:1"]
    assert len(decider.asked) == 2


def test_an_adapter_that_is_gone_leaves_nothing() -> None:
    decider = _decider()
    del decider.items["a"]
    decider.placements.touch(_key("a"))
    assert decider.next() == ["b:1"]


def test_a_new_replica_is_decided_alone() -> None:
    decider = _decider()
    decider.next(one=ANSWERS, two=SILENT)
    decider.placements.touch(_key("a"))
    decider.next(one=ANSWERS, two=STARTS)
    assert decider.asked[1:] == [(["two"], None), (["one"], {_key("a")}), (["two"], None)]


def test_who_may_try_an_unproven_version_is_decided_anew_when_a_replica_changes() -> None:
    decider = Decider(a=[_item("a", "1")], b=[_item("b", "1")])
    decider.unproven = {_key("a")}
    decider.next(one=ANSWERS, two=STARTS)
    decider.next(one=ANSWERS, two=STARTS)
    decider.next(one=ANSWERS, two=ANSWERS)
    assert decider.asked[1:] == [(["one", "two"], {_key("a")})]


def test_without_room_or_on_another_basis_everything_is_decided_anew() -> None:
    decider = _decider()
    decider.placements.touch(_key("b"))
    decider.next(basis="another")
    decider.items["b"] = [_item("b", "1", required=True), _item("b", "2")]
    decider.placements.touch(_key("b"))
    decider.next(basis="another", room=3)
    decider.unplaced[_key("d")] = FULL
    decider.placements.forget()
    decider.next(basis="another")
    decider.placements.touch(_key("b"))
    decider.next(basis="another")
    assert [keys for _, keys in decider.asked] == [None, None, {_key("b")}, None, None, {_key("b")}, None]


def test_what_was_not_decided_is_decided_as_a_whole_the_next_time() -> None:
    decider = _decider()
    decider.placements.touch(_key("a"))
    with pytest.raises(ZeroDivisionError):
        decider.placements.next("", {"one": ANSWERS}, room=10, name=lambda key: ("acme", key.name), decide=_broken)
    decider.next()
    assert [keys for _, keys in decider.asked] == [None, None]


def _broken(uids: Sequence[str], keys: Set[Key] | None) -> Decision:
    raise ZeroDivisionError
