"""Desired objects and existing objects → objects to write (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any


def covers(existing: Any, desired: Any) -> bool:
    """True if the existing object contains everything desired. Additions by others are kept."""
    if isinstance(desired, Mapping):
        return isinstance(existing, Mapping) and all(
            key in existing and covers(existing[key], value) for key, value in desired.items()
        )
    if isinstance(desired, Sequence) and not isinstance(desired, str):
        return (
            isinstance(existing, Sequence)
            and not isinstance(existing, str)
            and len(existing) == len(desired)
            and all(covers(old, new) for old, new in zip(existing, desired, strict=True))
        )
    return bool(existing == desired)
