"""The recipes of a search (pure).

Early losses tell good rates from bad ones, but not ranks or epochs, whose curves begin alike. So rates are searched
first, with pruning, and ranks, layers and epochs then, without.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuning.recipe import Recipe, Targets

_RANKS = (4, 8, 16, 32)
_EPOCHS = (1, 2, 3, 5)
_LOWER, _HIGHER = 1 / 4, 10.0  # of the recipe's rate
_FASTEST = 0.02
RATE_SHARE = 0.8  # of the trials


@dataclass(frozen=True)
class Space:
    """Around the recipe to beat. `most_rank` is the engine's."""

    start: Recipe
    most_rank: int

    @property
    def rates(self) -> tuple[float, float]:
        return self.start.rate * _LOWER, min(self.start.rate * _HIGHER, max(_FASTEST, self.start.rate))

    @property
    def ranks(self) -> Sequence[int]:
        return sorted({rank for rank in _RANKS if rank <= self.most_rank} | {self.start.rank})

    @property
    def epochs(self) -> Sequence[int]:
        return sorted({*_EPOCHS, self.start.epochs})

    def with_rate(self, rate: float) -> Recipe:
        return replace(self.start, rate=rate)

    def with_shape(self, rate: float, rank: int, epochs: int, targets: Targets) -> Recipe:
        """Alpha follows the rank as in the start: together they are nearly one setting."""
        alpha = max(1, round(self.start.alpha * rank / self.start.rank))
        return replace(self.start, rate=rate, rank=rank, alpha=alpha, epochs=epochs, targets=targets)


def trials_of(total: int) -> tuple[int, int]:
    """Of rates, and of shapes."""
    rates = max(1, round(total * RATE_SHARE))
    return rates, total - rates
