"""The watched tenants: the registered ones, up to a cap."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Registration:
    """`registered` are watched from now on; `refused` are over the cap."""

    registered: tuple[str, ...]
    refused: tuple[str, ...]


def registration(watched: Collection[str], tenants: Sequence[str], *, max_tenants: int) -> Registration:
    """Choose from the complete set `tenants`: already watched ones first, then the rest, in the given order."""
    distinct = dict.fromkeys(tenants)
    ranked = [name for name in distinct if name in watched] + [name for name in distinct if name not in watched]
    return Registration(registered=tuple(ranked[:max_tenants]), refused=tuple(ranked[max_tenants:]))
