from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from operators.local.rolling import Roll, State, roll

OLD = State("old", current=False, serves=True)


def test_all_replicas_start_at_once_where_nothing_runs() -> None:
    assert roll((), 2) == Roll(start=2)


def test_a_replica_that_serves_stays_until_its_successor_does() -> None:
    assert roll((OLD,), 1) == Roll(start=1)
    assert roll((OLD, State("new", current=True, serves=False)), 1) == Roll()
    assert roll((OLD, State("new", current=True, serves=True)), 1) == Roll(stop=("old",))


def test_an_edit_that_is_taken_back_stops_what_it_started() -> None:
    failing = State("new", current=False, serves=False)
    assert roll((State("old", current=True, serves=True), failing), 1) == Roll(stop=("new",))


def test_an_outdated_replica_that_serves_nobody_makes_room_at_once() -> None:
    assert roll((State("old", current=False, serves=False),), 1) == Roll(start=1, stop=("old",))


def test_of_too_many_those_that_serve_nobody_leave_first() -> None:
    idle, serving = State("a", current=True, serves=False), State("b", current=True, serves=True)
    assert roll((idle, serving), 1) == Roll(stop=("a",))


def test_nothing_stays_of_a_base_model_that_wants_no_replica() -> None:
    assert roll((OLD, State("new", current=True, serves=True)), 0) == Roll(stop=("old", "new"))


@given(count=st.integers(1, 4), before=st.integers(0, 4), data=st.data())
def test_a_roll_ends_and_never_takes_away_more_than_serves(count: int, before: int, data: Any) -> None:
    """Every started replica serves at some later step; as many answer all the while as did at first, or `count`."""
    replicas = [State(f"old-{number}", current=False, serves=True) for number in range(before)]
    least = min(before, count)
    for step in range(50):
        step_to_do = roll(replicas, count)
        replicas = [item for item in replicas if item.name not in step_to_do.stop]
        replicas += [State(f"new-{step}-{n}", current=True, serves=False) for n in range(step_to_do.start)]
        assert sum(item.serves for item in replicas) >= least
        waiting = [item for item in replicas if not item.serves]
        if waiting and data.draw(st.booleans()):
            replicas = [State(r.name, r.current, serves=True) if r is waiting[0] else r for r in replicas]
    for _ in range(20):
        replicas = [State(r.name, r.current, serves=True) for r in replicas]
        step_to_do = roll(replicas, count)
        replicas = [item for item in replicas if item.name not in step_to_do.stop]
        replicas += [State(f"end-{_}-{n}", current=True, serves=False) for n in range(step_to_do.start)]
    assert len(replicas) == count
    assert all(item.current for item in replicas)
