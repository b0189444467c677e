"""What has changed, from the signals of a tenant that drift (pure)."""

from collections.abc import Iterable
from enum import StrEnum


class Cause(StrEnum):
    """In this order: a change of the questions changes what is found for them, and both change the answers."""

    QUESTIONS = "questions"
    """What the tenant's users ask."""
    DOCUMENTS = "documents"
    """What is found for the same questions."""
    ANSWERS = "answers"
    """What the same version answers to the same questions: the adapter, the base model or its settings."""
    ENGINE = "engine"
    """How fast it answers."""


def first_cause(causes: Iterable[Cause]) -> Cause | None:
    """Of the causes of all signals that drift, the one that explains the others; None if no signal drifts."""
    order = list(Cause)
    return min(causes, key=order.index, default=None)
