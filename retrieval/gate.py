"""Whether the evidence supports an answer, decided on the legs and not on the fused score. Pure.

The fused score only knows ranks: something is always first. The legs know how near it is: the cosine of the dense
leg, and the share of the question's terms that one chunk holds. Near enough in one of them is evidence. Farther
away it is still let through, because people ask in other words than documents answer and the model can say itself
that it does not know; but not when the question names something that no chunk names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contract.search import Outcome


@dataclass(frozen=True)
class Thresholds:
    """Least nearness by leg: enough in any case (`sure_…`), and enough unless a name is missing (`likely_…`)."""

    sure_cosine: float
    sure_coverage: float
    likely_cosine: float
    likely_coverage: float


@dataclass(frozen=True)
class Nearness:
    """What the legs say of their best hit. `cosine` is None where the dense leg found nothing."""

    cosine: float | None
    coverage: float
    names_missing: bool

    def reaches(self, cosine: float, coverage: float) -> bool:
        return self.coverage >= coverage or (self.cosine is not None and self.cosine >= cosine)


def coverage(terms: Sequence[str], chunks: Iterable[frozenset[str]]) -> float:
    """The largest share of the question's distinct terms that one chunk holds, 0 to 1."""
    asked = set(terms)
    return max((len(asked & held) / len(asked) for held in chunks), default=0.0) if asked else 0.0


def names_missing(names: Sequence[str], chunks: Iterable[frozenset[str]]) -> bool:
    """Whether the question names something that is in none of the chunks."""
    return not set(names) <= frozenset().union(*chunks)


def decide(nearness: Nearness, hits: int, thresholds: Thresholds) -> Outcome:
    """The outcome of a search that ran and found so many chunks."""
    if hits == 0:
        return Outcome.NO_HITS
    sure = nearness.reaches(thresholds.sure_cosine, thresholds.sure_coverage)
    likely = nearness.reaches(thresholds.likely_cosine, thresholds.likely_coverage) and not nearness.names_missing
    return Outcome.EVIDENCE if sure or likely else Outcome.BELOW_GATE
