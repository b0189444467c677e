"""How relevant the best passage is: it falls where documents are missing, and where questions are about others."""

from serving.drift.cause import Cause
from serving.drift.hours import Numbers
from serving.drift.shares import of_class
from serving.drift.signal import EmbedderSignal
from serving.drift.wire import ReceivedObservation

_NOTHING = ("no_hits", "scope_empty")
_SEARCHED = ("evidence", "below_gate", *_NOTHING)
_TENTHS = 10


class SearchRelevance(EmbedderSignal):
    """Tenths of the relevance, after a class for searches without a hit."""

    name = "search_relevance"
    cause = Cause.DOCUMENTS
    width = 1 + _TENTHS

    def sample(self, observation: ReceivedObservation) -> Numbers | None:
        """A failed search says nothing about documents."""
        if observation.retrieval not in _SEARCHED:
            return None
        if observation.relevance is None:
            return of_class(0, self.width) if observation.retrieval in _NOTHING else None
        return of_class(1 + int(observation.relevance * _TENTHS), self.width)
