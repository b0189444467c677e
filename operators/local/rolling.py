"""The replicas of a base model to start and to stop, without a gap in serving (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """One replica. `current`: it runs the newest spec. `serves`: it may take traffic."""

    name: str
    current: bool
    serves: bool


@dataclass(frozen=True)
class Roll:
    """`start` is a number, `stop` are names. A serving replica is drained before it stops."""

    start: int = 0
    stop: tuple[str, ...] = ()


def roll(replicas: Sequence[State], count: int) -> Roll:
    """A serving outdated replica stops only after a current one serves in its place. Other outdated replicas stop at
    once."""
    current = [item for item in replicas if item.current]
    outdated = [item for item in replicas if not item.current]
    serving = [item for item in outdated if item.serves]
    idle = [item.name for item in outdated if not item.serves]
    ready = sum(item.serves for item in current)
    surplus = max(0, len(serving) + ready - count) if ready else 0
    leaving = [item.name for item in serving[:surplus]] if count else [item.name for item in serving]
    too_many = [item.name for item in sorted(current, key=lambda item: not item.serves)[count:]]
    missing = count - len(current)
    if serving and ready < len(current):  # the last started replica does not serve yet
        missing = 0
    elif serving:
        missing = min(missing, 1)
    return Roll(max(0, missing), (*idle, *leaving, *too_many))
