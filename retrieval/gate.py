"""Decides from the retrievers' own scores whether the evidence supports an answer. Pure.

The fused score only ranks: some chunk is always first. Two other measures show nearness: the cosine, and the share of
the question's terms in one chunk. If one of them reaches its `sure` threshold, the gate passes. It also passes at the
lower `likely` thresholds, because questions and documents use different words and the model can decline by itself;
except if the question contains a name found in no chunk.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contract.search import Outcome


@dataclass(frozen=True)
class Thresholds:
    """The least nearness that passes: always (`sure_…`), or unless a name is missing (`likely_…`)."""

    sure_cosine: float
    sure_coverage: float
    likely_cosine: float
    likely_coverage: float


@dataclass(frozen=True)
class Nearness:
    """The best hit of each retriever. `cosine` is None without a dense hit."""

    cosine: float | None
    coverage: float
    names_missing: bool

    def reaches(self, cosine: float, coverage: float) -> bool:
        return self.coverage >= coverage or (self.cosine is not None and self.cosine >= cosine)


def coverage(terms: Sequence[str], chunks: Iterable[frozenset[str]]) -> float:
    """The largest share of the question's distinct terms in one chunk, 0 to 1."""
    asked = set(terms)
    return max((len(asked & chunk_terms) / len(asked) for chunk_terms in chunks), default=0.0) if asked else 0.0


def names_missing(names: Sequence[str], chunks: Iterable[frozenset[str]]) -> bool:
    """Whether the question contains a name found in no chunk."""
    return not set(names) <= frozenset().union(*chunks)


def decide(nearness: Nearness, hits: int, thresholds: Thresholds) -> Outcome:
    """The outcome of a completed search with this number of hits."""
    if hits == 0:
        return Outcome.NO_HITS
    sure = nearness.reaches(thresholds.sure_cosine, thresholds.sure_coverage)
    likely = nearness.reaches(thresholds.likely_cosine, thresholds.likely_coverage) and not nearness.names_missing
    return Outcome.EVIDENCE if sure or likely else Outcome.BELOW_GATE
