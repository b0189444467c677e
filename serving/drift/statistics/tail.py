"""P-values far out in the tail, from the scores of windows without drift of the whole fleet.

One tenant's reference has some hundred windows, and a budget of false alarms asks for levels of 1 in 10,000: so the
scores of all tenants' references are pooled. Beyond the largest ones, the tail is exponential.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The tail begins above all but this share of the scores.
SHARE = 0.02
# With fewer tenants, DEFAULT is used.
FEWEST_TENANTS = 20


@dataclass(frozen=True)
class Tail:
    """P(score > x) = SHARE · exp(-(x - start) / scale) for x above `start`; at least SHARE below."""

    start: float
    scale: float

    def p_value(self, score: float) -> float:
        if score <= self.start:
            return max(SHARE, 0.5 * math.erfc(score / math.sqrt(2)))
        return max(sys.float_info.min, SHARE * math.exp(-(score - self.start) / self.scale))


# Wider than any tail that `make bench-drift` prints: a wrong guess costs power, and no false alarm.
DEFAULT = Tail(start=2.3, scale=0.45)
# Samples without variety have no tail.
LEAST = Tail(start=2.0, scale=0.3)


def tail_of(scores: Sequence[NDArray[np.float64]]) -> Tail:
    """`scores` are those of each tenant's own windows."""
    if len(scores) < FEWEST_TENANTS:
        return DEFAULT
    pooled = np.concatenate(scores)
    start = float(np.quantile(pooled, 1 - SHARE))
    beyond = pooled[pooled > start] - start
    return Tail(max(LEAST.start, start), max(LEAST.scale, float(beyond.mean()) if len(beyond) else 0.0))
