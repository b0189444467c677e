"""Snapshots → lines for people: readiness, failures, times (pure)."""

from collections.abc import Iterator

from contract.conditions import ACCEPTED, FETCHED, READY, Condition, holds
from contract.objects import AnyObject
from contract.resource import Key
from contract.snapshot import Problem, Snapshot

# An object's line shows the first of these that is false, or else the last.
_TELLING = (ACCEPTED, FETCHED, READY)


class Progress:
    """Remembers its lines, and yields new ones only."""

    def __init__(self) -> None:
        self._said: dict[Key | Problem, str] = {}

    def news(self, snapshot: Snapshot) -> Iterator[str]:
        lines: dict[Key | Problem, str] = {item.key: f"{item.key}: {summary(item)}" for item in snapshot.objects.all}
        lines |= {problem: f"{problem.file}: {problem.message}" for problem in snapshot.problems}
        gone = [key for key in self._said if key not in lines]
        yield from (f"{key}: removed" for key in gone if isinstance(key, Key))
        files = {problem.file for problem in snapshot.problems}
        right = (key.file for key in gone if isinstance(key, Problem) and key.file not in files)
        yield from (f"{file}: readable again" for file in dict.fromkeys(right))
        yield from (line for key, line in lines.items() if self._said.get(key) != line)
        self._said = lines


def summary(item: AnyObject) -> str:
    condition = telling(item)
    if condition is None:
        return "not looked at yet"
    state = "ready" if holds(item.status.conditions, READY) else "not ready"
    return " — ".join(part for part in (state, condition.reason, condition.message) if part)


def telling(item: AnyObject) -> Condition | None:
    """The first false condition of _TELLING, or else the last one: Ready."""
    by_type = {condition.type: condition for condition in item.status.conditions}
    conditions_of_interest = [by_type[kind] for kind in _TELLING if kind in by_type]
    return next(
        (condition for condition in conditions_of_interest if not condition.holds),
        conditions_of_interest[-1] if conditions_of_interest else None,
    )
