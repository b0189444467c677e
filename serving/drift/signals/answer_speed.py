"""How fast engines answer: seconds for each token, waiting included."""

from serving.drift.cause import Cause
from serving.drift.hours import Numbers
from serving.drift.shares import of_size
from serving.drift.signal import AnswerSignal
from serving.drift.wire import ReceivedObservation

_LEAST_S = 0.001
_TIMES = 2**0.5


class AnswerSpeed(AnswerSignal):
    """Classes of seconds a token, each up to 1.4 times as many as the one before, from 1 ms to 5.8 s."""

    name = "answer_speed"
    cause = Cause.ENGINE
    width = 26

    def sample(self, observation: ReceivedObservation) -> Numbers | None:
        if observation.answer_s is None or not observation.completion_tokens:
            return None
        return of_size(observation.answer_s / observation.completion_tokens, _LEAST_S, self.width, each=_TIMES)
