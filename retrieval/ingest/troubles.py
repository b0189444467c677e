"""Failures of single knowledge bases, and the times of their retries."""

from dataclasses import dataclass
from enum import StrEnum

from retrieval.ingest.plan import retry_at

Key = tuple[str, str]  # tenant, knowledge base


class Task(StrEnum):
    """Tasks for a whole knowledge base."""

    LOOK = "look"
    TIDY = "tidy"
    LEAVE = "leave"


@dataclass(frozen=True)
class Trouble:
    """The latest of so many failures in a row."""

    message: str
    attempts: int
    due: float  # when it is tried again, seconds since the epoch


class Troubles:
    """Written by one thread, read by any."""

    def __init__(self) -> None:
        self._held: dict[tuple[Key, Task], Trouble] = {}

    def waits(self, key: Key, task: Task, now: float) -> bool:
        """Whether the task has failed and its retry is not due."""
        held = self._held.get((key, task))
        return held is not None and now < held.due

    def add(self, key: Key, task: Task, message: str, now: float) -> None:
        held = self._held.get((key, task))
        attempts = held.attempts + 1 if held else 1
        self._held[key, task] = Trouble(message, attempts, retry_at(attempts, now))

    def settle(self, key: Key, task: Task) -> bool:
        """Records a success. Returns whether the task had failed before."""
        return self._held.pop((key, task), None) is not None

    def forget(self, key: Key) -> None:
        for task in Task:
            self.settle(key, task)

    def message(self, key: Key) -> str:
        """The failure of a knowledge base; empty without one."""
        return " ".join(held.message for task in Task if (held := self._held.get((key, task))))
