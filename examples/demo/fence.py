"""An attempt that must be refused, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

import openai


@dataclass(frozen=True)
class Attempt:
    """`held` only if the refusal had the status that this fence is meant to answer with."""

    held: bool
    answer: str


def attempted(call: Callable[[], object], *, status: int) -> Attempt:
    """Raises what is no answer at all, such as APIConnectionError."""
    try:
        return Attempt(held=False, answer=f"LEAK: {call()}")
    except openai.APIStatusError as refusal:
        said = f"{refusal.status_code} {refusal.code}"
        held = refusal.status_code == status
        return Attempt(held, said if held else f"{said}, where {status} is meant")
