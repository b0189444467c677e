"""How answers end: with an abstention, with or without a citation, at their end or at a limit."""

from serving.drift.cause import Cause
from serving.drift.hours import Numbers
from serving.drift.shares import of_class
from serving.drift.signal import AnswerSignal
from serving.drift.wire import ReceivedObservation

_REASONS = ("stop", "length", "tool_calls")  # then others


class AnswerOutcome(AnswerSignal):
    name = "answer_outcome"
    cause = Cause.ANSWERS
    width = 3 + len(_REASONS) + 1

    def sample(self, observation: ReceivedObservation) -> Numbers:
        if observation.abstained:
            return of_class(0, self.width)
        if observation.finish_reason == "stop" and observation.cited is not None:
            return of_class(1 + observation.cited, self.width)
        reason = observation.finish_reason or ""
        return of_class(3 + (_REASONS.index(reason) if reason in _REASONS else len(_REASONS)), self.width)
