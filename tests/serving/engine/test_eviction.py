"""Which adapter leaves an engine's memory."""

import itertools
import random
from collections import OrderedDict
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from serving.engine.eviction import Eviction

NAMES = st.text("abcdefgh", min_size=1, max_size=1)
NOTHING: frozenset[str] = frozenset()


def _requests(count: int, adapters: int = 1000) -> Iterator[str]:
    """By Zipf's law with exponent 1."""
    weights = list(itertools.accumulate(1 / rank for rank in range(1, adapters + 1)))
    return iter(random.Random(7).choices([str(each) for each in range(adapters)], cum_weights=weights, k=count))


def hit_rate(requests: Iterator[str], places: int) -> float:
    eviction, in_memory, hits, count = Eviction(places), set[str](), 0, 0
    for name in requests:
        eviction.use(name)
        hits += name in in_memory
        count += 1
        if name not in in_memory:
            if len(in_memory) == places:
                in_memory.remove(eviction.victim(in_memory, in_use=NOTHING, resident=NOTHING))
            in_memory.add(name)
    return hits / count


def _least_recently_used(requests: Iterator[str], places: int) -> float:
    in_memory: OrderedDict[str, None] = OrderedDict()
    hits = count = 0
    for name in requests:
        hits += name in in_memory
        count += 1
        in_memory[name] = None
        in_memory.move_to_end(name)
        if len(in_memory) > places:
            in_memory.popitem(last=False)
    return hits / count


def test_of_popular_adapters_more_stay_than_if_the_least_recently_used_one_left() -> None:
    assert _least_recently_used(_requests(40_000), 16) < 0.30
    assert hit_rate(_requests(40_000), 16) > 0.42


def test_what_was_popular_once_leaves() -> None:
    eviction = Eviction(places=8)
    for _ in range(100):
        eviction.use("old")
    for number in range(4_000):
        eviction.use(f"new {number % 4}")
    members = {"old", *(f"new {number}" for number in range(4))}
    assert eviction.victim(members, in_use=NOTHING, resident=NOTHING) == "old"


def test_the_latest_arrivals_are_protected() -> None:
    eviction = Eviction(places=16)
    for name in ("a", "a", "b", "b", "c", "d"):
        eviction.use(name)
    assert eviction.victim({"a", "b", "c", "d"}, in_use=NOTHING, resident=NOTHING) == "a"


@given(uses=st.lists(NAMES), members=st.sets(NAMES, min_size=1), in_use=st.sets(NAMES), resident=st.sets(NAMES))
def test_those_in_use_leave_last_and_residents_before_them(
    uses: list[str], members: set[str], in_use: set[str], resident: set[str]
) -> None:
    eviction = Eviction(places=4)
    for name in uses:
        eviction.use(name)
    victim = eviction.victim(members, in_use=in_use, resident=resident)
    assert victim in members
    if members - in_use:
        assert victim not in in_use
    if members - in_use - resident:
        assert victim not in resident
