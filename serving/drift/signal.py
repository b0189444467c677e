"""A signal of drift: a sample of numbers from the first answer of each conversation."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from serving.drift.cause import Cause
from serving.drift.hours import Numbers
from serving.drift.wire import ReceivedObservation


@dataclass(frozen=True)
class Outcome:
    """The result of a test: `statistic` grows with the difference, and `p_value` is in (0, 1]."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class Basis:
    """Samples can be compared only while `value` stays the same for a `subject`: another value begins a new
    reference."""

    subject: str
    value: str


class Signal(ABC):
    """`name` is the signal's label in metrics, and `cause` what has changed if it drifts alone. A sample has `width`
    numbers, whose mean is compared. A test takes the samples of `windows` windows: more see smaller changes, later."""

    name: ClassVar[str]
    cause: ClassVar[Cause]
    width: ClassVar[int]
    windows: ClassVar[int] = 1

    @abstractmethod
    def sample(self, observation: ReceivedObservation) -> Numbers | None:
        """Shape (width,), finite. None if the request says nothing about this signal."""

    @abstractmethod
    def basis(self, observation: ReceivedObservation) -> Basis:
        """The model or version behind the sample. Its value is empty if unknown."""


class EmbedderSignal(Signal):
    """Its samples depend on the model that embeds questions."""

    def basis(self, observation: ReceivedObservation) -> Basis:
        return Basis("embedder", observation.embedder)


class AnswerSignal(Signal):
    """Its samples depend on the version that answers under each name."""

    def basis(self, observation: ReceivedObservation) -> Basis:
        return Basis(observation.model, observation.version)
