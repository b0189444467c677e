"""The false-alarm budget: from alarms a month over the fleet to the level of one test.

A test at level alpha raises a false alarm with probability at most alpha. Expectations add up even for dependent tests
(tests of a signal share its reference), so the expected number of false alarms is at most the number of tests times
alpha. Tests of a signal are at least `interval` apart, bounding their number in a month; dividing the budget by this
number and by the number of tenants and signals gives alpha.
"""

import math
from dataclasses import dataclass

MONTH = 30 * 86_400.0  # seconds


@dataclass(frozen=True)
class Budget:
    """At most `false_alarms` expected in 30 days over all tenants, with `interval` seconds from one test of a signal to
    the next."""

    false_alarms: float
    interval: float


@dataclass(frozen=True)
class Level:
    """How one test is run: it reports drift at p <= `alpha`, and `permutations` suffice for such a p."""

    alpha: float
    permutations: int


def level(budget: Budget, *, series: int, permutations: int) -> Level:
    """The level of each test with `series` >= 1 pairs of tenant and signal; `permutations` is the least number."""
    tests = series * math.ceil(MONTH / budget.interval)
    alpha = min(budget.false_alarms / tests, 1.0)
    return Level(alpha=alpha, permutations=max(permutations, math.floor(1 / alpha)))  # 1 / (permutations + 1) < alpha


def next_test_at(budget: Budget, *, tested_at: float | None) -> float:
    """The earliest time for the next test of a signal, in Unix seconds."""
    return -math.inf if tested_at is None else tested_at + budget.interval
