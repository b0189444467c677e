"""The probability that a chunk holds the answer to a question, from the retrievers' scores. Pure.

A logistic model over four signals; the word-based ones are squared, because a few shared words are often chance. It
ranks the hits of both retrievers on one scale, and the relevance of the best chunk decides whether the documents can
answer.
`benchmarks/retrieval/fit.py` fits the weights on public questions in English (SQuAD 2.0) and Korean (KorQuAD 1.0), some
asked with their document in the knowledge base and some without.
"""

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from contract.search import Outcome


@dataclass(frozen=True)
class Signals:
    """Of one chunk for one question."""

    cosine: float | None
    """Of the embeddings, -1 to 1; None if the embedder cannot read the question."""
    coverage: float
    """The share of the question's terms in the chunk, weighted by rarity, 0 to 1."""
    match: float
    """The BM25 score as a share of the largest possible one, 0 to 1."""
    matched: float
    """The sum of the rarities, each 0 to 1, of the question's terms in the chunk. Unlike the coverage, it does not fall
    with further words that no document has."""


@dataclass(frozen=True)
class Weights:
    cosine: float
    coverage: float
    match: float
    matched: float
    unread: float
    """Added where there is no cosine."""
    constant: float


_HALF = 3.0  # with so many of the rarest terms, `saturated` is one half
FITTED = Weights(cosine=5.74, coverage=5.78, match=1.85, matched=4.56, unread=0.43, constant=-4.59)


def relevance(signals: Signals, weights: Weights = FITTED) -> float:
    """0 to 1."""
    by_meaning = weights.unread if signals.cosine is None else weights.cosine * signals.cosine
    by_words = (
        weights.coverage * signals.coverage**2
        + weights.match * signals.match**2
        + weights.matched * saturated(signals.matched)
    )
    return 1 / (1 + math.exp(-(by_meaning + by_words + weights.constant)))


def saturated(matched: float) -> float:
    """0 to 1."""
    return matched**2 / (matched**2 + _HALF**2)


def shared(rarities: Mapping[str, float], terms: Set[str]) -> float:
    """The sum of the rarities of the question's terms that are among the terms of a chunk."""
    return sum(rarity for term, rarity in rarities.items() if term in terms)


def decide(relevances: Iterable[float], least: float) -> Outcome:
    """The outcome of a completed search, from the relevance of each hit."""
    best = max(relevances, default=None)
    if best is None:
        return Outcome.NO_HITS
    return Outcome.EVIDENCE if best >= least else Outcome.BELOW_GATE
