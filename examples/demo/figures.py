"""The figures of a tour, and the bars that they must hold (pure)."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Figures:
    """The last line of the tour. Shares are of the questions asked.

    `wrong_rows` are printed answers that are not the documents'; `steps` those of a conversation that came out right,
    `documents` those of an uploaded document, `pages` those of the console.
    `cross_tenant_leaks` counts every attempt that was not refused in the way that it must be.
    """

    first_answer_s: float = 0.0
    rss_mb: int = 0
    answered: int = 0
    grounded_exact: float = 0.0
    adapters_exact: float = 0.0
    wrong_rows: int = 0
    steps: int = 0
    documents: int = 0
    first_cited_s: float = 0.0
    pages: int = 0
    abstained_unanswerable: float = 0.0
    swap_requests: int = 0
    swap_failed: int = 0
    cross_tenant_leaks: int = 0
    adapters: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


_AT_LEAST = {
    "grounded_exact": 0.9,
    "adapters_exact": 0.9,
    "steps": 3,
    "documents": 3,
    "pages": 5,
    "abstained_unanswerable": 0.9,
    "adapters": 4,
    "swap_requests": 1,
}
_AT_MOST = {
    "wrong_rows": 0,
    "first_answer_s": 120,
    "first_cited_s": 30,
    "rss_mb": 5000,
    "swap_failed": 0,
    "cross_tenant_leaks": 0,
}


def missed(figures: Figures) -> list[str]:
    """What each bar that does not hold says."""
    found = figures.as_dict()
    low = [f"{name} is {found[name]}, the bar is ≥ {bar}" for name, bar in _AT_LEAST.items() if found[name] < bar]
    high = [f"{name} is {found[name]}, the bar is ≤ {bar}" for name, bar in _AT_MOST.items() if found[name] > bar]
    return low + high
