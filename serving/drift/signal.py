"""A signal of drift: a sample of numbers from each finished request, and a test of two sets of samples."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from serving.drift.wire import ReceivedObservation

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Outcome:
    """The result of a test: `statistic` grows with the difference, and `p_value` is in (0, 1]."""

    statistic: float
    p_value: float


class Signal(ABC):
    """`name` is the signal's label in metrics. A sample has `width` numbers."""

    name: ClassVar[str]
    width: ClassVar[int]

    @abstractmethod
    def sample(self, observation: ReceivedObservation) -> Samples | None:
        """Shape (width,), finite. None if the request says nothing about this signal."""

    @abstractmethod
    def test(self, reference: Samples, current: Samples, *, permutations: int, rng: np.random.Generator) -> Outcome:
        """Tests samples of shapes (m, width) and (n, width). P(p_value <= alpha) <= alpha without drift, for every
        alpha of at least 1 / (permutations + 1)."""
