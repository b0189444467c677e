"""A signal of drift: a sample of numbers from each finished request."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from serving.drift.hours import Numbers
from serving.drift.wire import ReceivedObservation


@dataclass(frozen=True)
class Outcome:
    """The result of a test: `statistic` grows with the difference, and `p_value` is in (0, 1]."""

    statistic: float
    p_value: float


class Signal(ABC):
    """`name` is the signal's label in metrics. A sample has `width` numbers, whose mean is compared. A test takes the
    samples of `windows` windows: more see smaller changes, later."""

    name: ClassVar[str]
    width: ClassVar[int]
    windows: ClassVar[int] = 1

    @abstractmethod
    def sample(self, observation: ReceivedObservation) -> Numbers | None:
        """Shape (width,), finite. None if the request says nothing about this signal."""
