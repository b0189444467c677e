"""Reciprocal rank fusion of the retrievers' hits. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

SMOOTHING = 60  # from Cormack, Clarke and Buettcher (SIGIR 2009): the higher, the less the top ranks differ


@dataclass(frozen=True)
class WeightedRanking:
    """The ids that a retriever found, best first, and its weight: 0 (ignored) to 1."""

    ids: Sequence[str]
    weight: float = 1.0


def fuse(rankings: Sequence[WeightedRanking]) -> list[tuple[str, float]]:
    """All ids from retrievers with a weight above 0, with their fused scores, best first; ties in order of id."""
    scores: dict[str, float] = {}
    for leg in rankings:
        for rank, hit_id in enumerate(leg.ids, start=1):
            if leg.weight > 0:
                scores[hit_id] = scores.get(hit_id, 0.0) + leg.weight / (SMOOTHING + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
