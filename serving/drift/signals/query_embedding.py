"""The topics of questions: embeddings of the questions used to search documents."""

import numpy as np

from contract.body import DIMENSIONS
from serving.drift.signal import Outcome, Samples, Signal
from serving.drift.statistics.mmd import mmd_test
from serving.drift.wire import ReceivedObservation


class QueryEmbedding(Signal):
    name = "query_embedding"
    width = DIMENSIONS

    def sample(self, observation: ReceivedObservation) -> Samples | None:
        return observation.embedding

    def test(self, reference: Samples, current: Samples, *, permutations: int, rng: np.random.Generator) -> Outcome:
        """The statistic is the unbiased squared maximum mean discrepancy, possibly below 0."""
        outcome = mmd_test(reference, current, permutations=permutations, rng=rng)
        return Outcome(statistic=outcome.mmd2, p_value=outcome.p_value)
