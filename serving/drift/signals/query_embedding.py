"""The topics of questions: the embeddings of first questions that documents were searched for, as random features."""

import numpy as np

from serving.drift.cause import Cause
from serving.drift.hours import Numbers
from serving.drift.signal import EmbedderSignal
from serving.drift.statistics.features import WIDTH, features_of
from serving.drift.wire import ReceivedObservation


class QueryEmbedding(EmbedderSignal):
    name = "query_embedding"
    cause = Cause.QUESTIONS
    width = WIDTH

    def sample(self, observation: ReceivedObservation) -> Numbers | None:
        """An embedding of zeros has no direction."""
        if observation.embedding is None or not np.any(observation.embedding):
            return None
        vector = observation.embedding.astype(np.float64)
        return np.asarray(features_of(len(vector)).of(vector[np.newaxis])[0])
