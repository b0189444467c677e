"""What one adapter's change does to the placement of all."""

from collections.abc import Sequence, Set

import pytest

from contract import conditions as c
from contract.agent import DesiredAdapter, DesiredSet
from contract.conditions import Condition, condition
from contract.resource import Key
from operators.controllers.placements import Placements
from operators.desired.adapters import Placement

FULL = condition(c.FETCHED, False, c.NO_SLOT, "no room")


def _key(name: str) -> Key:
    return Key(kind="Adapter", namespace="acme", name=name)


def _item(name: str, revision: str, *, required: bool = False) -> DesiredAdapter:
    return DesiredAdapter(tenant="acme", adapter=name, source="/x", revision=revision, required=required)


class Decider:
    """Desires its items, and records the adapters of each call."""

    def __init__(self, **items: Sequence[DesiredAdapter]) -> None:
        self.items = dict(items)
        self.unplaced: dict[Key, Condition] = {}
        self.asked: list[Set[Key] | None] = []
        self.placements = Placements()

    def decide(self, keys: Set[Key] | None) -> list[Placement]:
        self.asked.append(set(keys) if keys is not None else None)
        names = self.items if keys is None else [key.name for key in keys if key.name in self.items]
        items = sorted((item for name in names for item in self.items[name]), key=lambda item: not item.required)
        unplaced = {key: reason for key, reason in self.unplaced.items() if keys is None or key in keys}
        return [Placement(DesiredSet(adapters=tuple(items)), unplaced)]

    def next(self, basis: object = "", room: int = 10) -> list[str]:
        (placement,) = self.placements.next(basis, room=room, name=lambda key: ("acme", key.name), decide=self.decide)
        return [f"{item.adapter}:{item.revision}" for item in placement.desired.adapters]


def _decider() -> Decider:
    decider = Decider(a=[_item("a", "1", required=True), _item("a", "0")], b=[_item("b", "1", required=True)])
    assert decider.next() == ["a:1", "b:1", "a:0"]
    return decider


def test_only_what_was_touched_is_decided_anew_and_equal_sets_stay_equal() -> None:
    decider = _decider()
    decider.placements.touch(_key("a"))
    assert decider.next() == ["a:1", "b:1", "a:0"]
    assert decider.asked == [None, {_key("a")}]
    assert decider.next() == ["a:1", "b:1", "a:0"]
    assert len(decider.asked) == 2


def test_a_version_that_serves_comes_before_those_that_do_not() -> None:
    decider = _decider()
    decider.items["c"] = [_item("c", "1", required=True), _item("c", "0")]
    decider.placements.touch(_key("c"))
    assert decider.next() == ["a:1", "b:1", "c:1", "a:0", "c:0"]


def test_an_adapter_that_is_gone_leaves_nothing() -> None:
    decider = _decider()
    del decider.items["a"]
    decider.placements.touch(_key("a"))
    assert decider.next() == ["b:1"]


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
    assert decider.asked == [None, None, {_key("b")}, None, None, {_key("b")}, None]


def test_what_was_not_decided_is_decided_as_a_whole_the_next_time() -> None:
    decider = _decider()
    decider.placements.touch(_key("a"))
    with pytest.raises(ZeroDivisionError):
        decider.placements.next("", room=10, name=lambda key: ("acme", key.name), decide=_broken)
    decider.next()
    assert decider.asked == [None, None]


def _broken(keys: Set[Key] | None) -> list[Placement]:
    raise ZeroDivisionError
