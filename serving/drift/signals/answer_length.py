"""The length of answers: refusals are short, and a changed model writes more or less."""

from serving.drift.cause import Cause
from serving.drift.hours import Numbers
from serving.drift.shares import of_size
from serving.drift.signal import AnswerSignal
from serving.drift.wire import ReceivedObservation


class AnswerLength(AnswerSignal):
    """Classes of tokens, each up to 1.5 times as many as the one before: 1, 2, 3, to 5, 7, 11, … 7,481, and more."""

    name = "answer_length"
    cause = Cause.ANSWERS
    width = 24

    def sample(self, observation: ReceivedObservation) -> Numbers | None:
        """An abstention is no model's answer."""
        if observation.abstained or not observation.completion_tokens:
            return None
        return of_size(observation.completion_tokens, 1, self.width, each=1.5)
