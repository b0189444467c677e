"""Traffic with a known truth: queries on topics, as unit vectors, of which a share may move to other topics."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

TOPICS = 20
DIMENSIONS = 384
NOISE = 0.9  # length of what a query adds to its topic, of length 1


class Traffic:
    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._topics = unit(self._rng.normal(size=(TOPICS + 2, DIMENSIONS)))

    def queries(self, count: int, *, moved: float = 0.0) -> Samples:
        """`moved` is the share of the queries that are about two topics never asked about before."""
        usual = self._rng.integers(0, TOPICS, count)
        new = self._rng.integers(TOPICS, TOPICS + 2, count)
        topics = np.where(self._rng.random(count) < moved, new, usual)
        noise = self._rng.normal(size=(count, DIMENSIONS)) * (NOISE / DIMENSIONS**0.5)
        return unit(self._topics[topics] + noise).astype(np.float32)


def unit(vectors: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def observation(tenant: str, embedding: Samples | None = None) -> dict[str, Any]:
    """An observation as it is sent."""
    encoded = None if embedding is None else base64.b64encode(embedding.astype("<f4").tobytes()).decode()
    return {
        "tenant": tenant,
        "model": "support",
        "version": "acme.support-1",
        "embedder": "minilm",
        "embedding": encoded,
        "retrieval": "evidence",
        "relevance": 0.8,
        "abstained": False,
        "cited": True,
        "finish_reason": "stop",
        "completion_tokens": 40,
        "answer_s": 1.2,
    }


def observations(tenant: str, embeddings: Samples) -> list[dict[str, Any]]:
    return [observation(tenant, embedding) for embedding in embeddings]
