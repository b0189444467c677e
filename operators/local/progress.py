"""Snapshots → lines for people: readiness, failures, times (pure)."""

from collections.abc import Iterator

from contract.conditions import READY, decisive, holds
from contract.objects import AnyObject
from contract.resource import Key
from contract.snapshot import Problem, Snapshot


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
    condition = decisive(item.status.conditions)
    if condition is None:
        return "not looked at yet"
    state = "ready" if holds(item.status.conditions, READY) else "not ready"
    return " — ".join(part for part in (state, condition.reason, condition.message) if part)
