"""Desired objects and existing objects → objects to write (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any


def covers(there: Any, desired: Any) -> bool:
    """Whether the existing object contains everything desired. Additions by others are kept."""
    if isinstance(desired, Mapping):
        return isinstance(there, Mapping) and all(
            key in there and covers(there[key], value) for key, value in desired.items()
        )
    if isinstance(desired, Sequence) and not isinstance(desired, str):
        return (
            isinstance(there, Sequence)
            and not isinstance(there, str)
            and len(there) == len(desired)
            and all(covers(old, new) for old, new in zip(there, desired, strict=True))
        )
    return bool(there == desired)
