"""Reciprocal rank fusion of the legs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

SMOOTHING = 60  # the constant of Cormack, Clarke and Buettcher (SIGIR 2009): how little the top ranks differ


@dataclass(frozen=True)
class Retriever:
    """Ids, best first, and how far this leg is believed: 0 (not at all) to 1."""

    ids: Sequence[str]
    weight: float = 1.0


def fuse(legs: Sequence[Retriever]) -> list[tuple[str, float]]:
    """All ids from the trusted retrievers, with their fused score, best first; ties in order of id."""
    scores: dict[str, float] = {}
    for leg in legs:
        for rank, hit_id in enumerate(leg.ids, start=1):
            if leg.weight > 0:
                scores[hit_id] = scores.get(hit_id, 0.0) + leg.weight / (SMOOTHING + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
