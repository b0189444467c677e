"""Divides rows into those to learn from and two held-out parts, with near copies on one side (pure).

A row's side is decided by the content of its group alone, so that other rows and another order move none of it.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tuning.duplicates import groups, normal
from tuning.row import Row

HELD_OUT = 0.1  # for early stopping and for search
FINAL = 0.1  # for the last check; a search never sees it
_STEPS = 1 << 32


@dataclass(frozen=True)
class Division:
    """`dropped` are exact copies, each with the line of the kept row; `conflicts` are lines of rows with the same
    question as an earlier one, and another answer. `groups` counts groups of near copies with several rows."""

    training: tuple[Row, ...] = ()
    held_out: tuple[Row, ...] = ()
    final: tuple[Row, ...] = ()
    dropped: Mapping[int, int] = field(default_factory=dict)
    conflicts: Mapping[int, int] = field(default_factory=dict)
    groups: int = 0


def divided(rows: Sequence[Row]) -> Division:
    kept, dropped, conflicts = _without_copies(rows)
    numbers = groups([row.question for row in kept])
    sides: dict[str, list[Row]] = {"training": [], "held_out": [], "final": []}
    draws: dict[int, int] = {}
    for row, number in zip(kept, numbers, strict=True):
        draws[number] = min(draws.get(number, _STEPS), _draw(row))
    for row, number in zip(kept, numbers, strict=True):
        sides[_side(draws[number])].append(row)
    several = sum(count > 1 for count in Counter(numbers).values())
    return Division(
        training=tuple(sides["training"]),
        held_out=tuple(sides["held_out"]),
        final=tuple(sides["final"]),
        dropped=dropped,
        conflicts=conflicts,
        groups=several,
    )


def _without_copies(rows: Sequence[Row]) -> tuple[list[Row], dict[int, int], dict[int, int]]:
    first: dict[tuple[str, str], int] = {}
    asked: dict[str, int] = {}
    kept, dropped, conflicts = [], dict[int, int](), dict[int, int]()
    for row in rows:
        question = _key(row)
        if (question, row.answer) in first:
            dropped[row.line] = first[question, row.answer]
            continue
        if question in asked:
            conflicts[row.line] = asked[question]
        first[question, row.answer] = row.line
        asked.setdefault(question, row.line)
        kept.append(row)
    return kept, dropped, conflicts


def _key(row: Row) -> str:
    """The whole prompt: the same question to another system message is another one."""
    return "\n".join(f"{message.role}: {normal(message.content)}" for message in row.prompt)


def _draw(row: Row) -> int:
    """Between 0 and `_STEPS`, as if drawn by chance. A group has the smallest of its rows."""
    return int.from_bytes(hashlib.sha256(_key(row).encode("utf-8", "replace")).digest()[:4])


def _side(draw: int) -> str:
    if draw < FINAL * _STEPS:
        return "final"
    return "held_out" if draw < (FINAL + HELD_OUT) * _STEPS else "training"
