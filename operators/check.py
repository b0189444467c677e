"""A prerequisite, or the state of a part, with what to do if it does not hold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    what: str
    holds: bool
    fact: str
    remedy: str
    needed: bool = True  # without it nothing runs
