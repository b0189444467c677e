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
class TaskFailure:
    """The latest failure of a task, and the number of its failures in a row."""

    message: str
    attempts: int
    due: float  # when it is tried again, seconds since the epoch


class TaskFailures:
    """One thread writes to it; any thread may read it."""

    def __init__(self) -> None:
        self._failures: dict[tuple[Key, Task], TaskFailure] = {}

    def waits(self, key: Key, task: Task, now: float) -> bool:
        """True if the task has failed and its retry is not due."""
        failure = self._failures.get((key, task))
        return failure is not None and now < failure.due

    def add(self, key: Key, task: Task, message: str, now: float) -> None:
        failure = self._failures.get((key, task))
        attempts = failure.attempts + 1 if failure else 1
        self._failures[key, task] = TaskFailure(message, attempts, retry_at(attempts, now))

    def settle(self, key: Key, task: Task) -> bool:
        """Records a success. Returns whether the task had failed before."""
        return self._failures.pop((key, task), None) is not None

    def forget(self, key: Key) -> None:
        for task in Task:
            self.settle(key, task)

    def message(self, key: Key) -> str:
        """The failures of a knowledge base; empty without one."""
        return " ".join(failure.message for task in Task if (failure := self._failures.get((key, task))))
