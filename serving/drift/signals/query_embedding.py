"""The topics of questions: the embeddings of first questions that documents were searched for, as random features."""

import numpy as np

from contract.body import DIMENSIONS
from serving.drift.cause import Cause
from serving.drift.hours import Numbers
from serving.drift.signal import EmbedderSignal
from serving.drift.statistics.features import WIDTH, Features
from serving.drift.wire import ReceivedObservation

_FEATURES = Features(DIMENSIONS)


class QueryEmbedding(EmbedderSignal):
    name = "query_embedding"
    cause = Cause.QUESTIONS
    width = WIDTH

    def sample(self, observation: ReceivedObservation) -> Numbers | None:
        """An embedding of zeros has no direction."""
        if observation.embedding is None or not np.any(observation.embedding):
            return None
        return np.asarray(_FEATURES.of(observation.embedding[np.newaxis].astype(np.float64))[0])
