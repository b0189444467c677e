"""The cause of a tenant's drift, from its drifting signals (pure)."""

from collections.abc import Iterable
from enum import StrEnum


class Cause(StrEnum):
    """In this order: a change of the questions changes their hits, and both change the answers."""

    QUESTIONS = "questions"
    """What the tenant's users ask."""
    DOCUMENTS = "documents"
    """What is found for the same questions."""
    ANSWERS = "answers"
    """What the same version answers to the same questions: the adapter, the base model or its settings."""
    ENGINE = "engine"
    """How fast it answers."""


def first_cause(causes: Iterable[Cause]) -> Cause | None:
    """The cause that explains the others, of those of all drifting signals; None if no signal drifts."""
    order = list(Cause)
    return min(causes, key=order.index, default=None)
