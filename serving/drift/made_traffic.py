"""Made traffic of one tenant, with known changes: observed by drills and their tests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.drift.wire import ReceivedObservation

TOPICS, NEW_TOPICS = 20, 4
_DIMENSIONS = 384
_SPREAD = 0.9  # length of a question's own part, beside its topic of length 1
_LANGUAGE = 0.5  # length of the common part of one language's questions
_RHYTHM = 0.5  # of the topics' log-odds, by hour
_TOKENS, _TOKEN_S = 45, 0.03
_REFUSAL_TOKENS = 14


@dataclass(frozen=True)
class Change:
    """Shares of the questions, 0 to 1; `slower` is a factor."""

    new_topics: float = 0.0
    other_language: float = 0.0
    without_document: float = 0.0
    """Questions whose document is gone."""
    refused: float = 0.0
    """Answers that are refusals of the model."""
    uncited: float = 0.0
    """Answers that lose their citation."""
    slower: float = 1.0
    version: str = "support-1"
    embedder: str = "embedder-1"


class MadeTraffic:
    def __init__(self, tenant: str, seed: int) -> None:
        self._tenant = tenant
        self._rng = np.random.default_rng(seed)
        self._topics = self._directions(TOPICS + NEW_TOPICS)
        self._languages = _LANGUAGE * self._directions(2)
        self._odds = self._rng.standard_normal(TOPICS)
        self._by_hour = _RHYTHM * self._rng.standard_normal((2, TOPICS))

    def hour(self, hour: int, rate: float, change: Change) -> list[ReceivedObservation]:
        """First answers of one hour, `rate` on average."""
        angle = 2 * np.pi * (hour % 24) / 24
        odds = self._odds + np.sin(angle) * self._by_hour[0] + np.cos(angle) * self._by_hour[1]
        shares = np.exp(odds) / np.exp(odds).sum()
        count = int(self._rng.poisson(rate * (1 + 0.5 * np.sin(angle))))
        return [self._answer(vector, change) for vector in self._questions(count, shares, change)]

    def _directions(self, count: int) -> NDArray[np.float64]:
        vectors = self._rng.standard_normal((count, _DIMENSIONS))
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def _questions(self, count: int, shares: NDArray[np.float64], change: Change) -> NDArray[np.float32]:
        topics = self._rng.choice(TOPICS, size=count, p=shares)
        is_new = self._rng.random(count) < change.new_topics
        topics[is_new] = TOPICS + self._rng.integers(NEW_TOPICS, size=int(is_new.sum()))
        language = (self._rng.random(count) < change.other_language).astype(int)
        noise = _SPREAD * self._rng.standard_normal((count, _DIMENSIONS)) / _DIMENSIONS**0.5
        vectors = self._topics[topics] + self._languages[language] + noise
        if change.embedder != Change.embedder:
            vectors = vectors[:, ::-1]  # another model's numbers mean something else
        return np.asarray(vectors, np.float32)

    def _answer(self, vector: NDArray[np.float32], change: Change) -> ReceivedObservation:
        rng = self._rng
        has_document = rng.random() >= 0.05 + 0.95 * change.without_document
        relevance = float(rng.beta(8, 2) if has_document else rng.beta(1.5, 10))
        abstained = relevance < 0.35
        refused = rng.random() < 0.02 + change.refused
        tokens = 0 if abstained else max(1, int(rng.lognormal(np.log(_REFUSAL_TOKENS if refused else _TOKENS), 0.4)))
        cited = bool(not refused and rng.random() < 0.93 * (1 - change.uncited))
        return ReceivedObservation.model_construct(
            tenant=self._tenant, model="support", version="" if abstained else change.version,
            embedder=change.embedder, embedding=vector, retrieval="below_gate" if abstained else "evidence",
            relevance=relevance, abstained=abstained, cited=None if abstained else cited, finish_reason="stop",
            completion_tokens=tokens,
            answer_s=None if abstained else change.slower * tokens * _TOKEN_S * float(rng.lognormal(0, 0.3)),
        )  # fmt: skip
