"""The hits of a search in order: by relevance, then by a re-ranker. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from contract.search import Evidence
from retrieval.bm25 import best_score
from retrieval.relevance import Signals, relevance, shared
from retrieval.store import Hit
from retrieval.store.rows import Vector


@dataclass(frozen=True)
class Query:
    """A question as the retrievers see it."""

    text: str
    vector: Vector
    """Zeros where the embedder did not answer."""
    is_read: bool
    """True if the embedder can read the question, and did."""
    terms: list[str]
    embedder: str
    """The id of the model of the vector."""
    cosine: Callable[[float], float] = float
    """A cosine with the vector, on the scale of the relevance."""

    def is_comparable(self, hit: Hit) -> bool:
        """False if the two have no cosine: the model cannot read the question, or their vectors are of two models."""
        return self.is_read and hit.embedder in ("", self.embedder)


@dataclass(frozen=True)
class Hits:
    """The hits of each retriever, best first; the rarity of each term of the question, and of a term in no chunk."""

    dense: Sequence[Hit]
    lexical: Sequence[Hit]
    rarities: Mapping[str, float]
    largest_rarity: float

    @property
    def by_id(self) -> dict[str, Hit]:
        return {hit.chunk_id: hit for hit in (*self.dense, *self.lexical)}


def reordered(evidence: Sequence[Evidence], scores: Sequence[float]) -> list[Evidence]:
    """The first hits, which have these scores, by score; then the others as they were."""
    scored = [item.model_copy(update={"rerank_score": score}) for item, score in zip(evidence, scores, strict=False)]
    return [*sorted(scored, key=lambda item: -(item.rerank_score or 0.0)), *evidence[len(scored) :]]


def most_relevant(searches: Sequence[tuple[Hits, Query]]) -> tuple[list[Evidence], Query]:
    """The ranked hits of the search with the most relevant one, and its query."""
    candidates = [(ranked(hits, query), query) for hits, query in searches]
    return max(candidates, key=lambda each: each[0][0].score if each[0] else -1.0)


def signals_of(hits: Hits, query: Query) -> dict[str, Signals]:
    """The signals of each hit, by chunk id. A hit that only one retriever returned is worse for the other one than all
    its hits, so it gets the lowest score of these."""
    cosines = {hit.chunk_id: query.cosine(hit.score) for hit in hits.dense}
    scores = {hit.chunk_id: hit.score for hit in hits.lexical}
    least_cosine = min(cosines.values(), default=0.0)
    # If the retriever returned few hits, the others have no term of the question.
    least_score = min(scores.values(), default=0.0) if len(scores) >= len(cosines) else 0.0
    total, best = sum(hits.rarities.values()) or 1.0, best_score(hits.rarities) or 1.0
    by_id = hits.by_id
    common = {chunk_id: shared(hits.rarities, hit.terms) for chunk_id, hit in by_id.items()}
    return {
        chunk_id: Signals(
            cosine=cosines.get(chunk_id, least_cosine) if query.is_comparable(by_id[chunk_id]) else None,
            coverage=common[chunk_id] / total,
            match=scores.get(chunk_id, least_score) / best,
            matched=common[chunk_id] / hits.largest_rarity,
        )
        for chunk_id in common
    }


def ranked(hits: Hits, query: Query) -> list[Evidence]:
    """All hits, the most relevant first; ties in order of id."""
    signals = signals_of(hits, query)
    dense, lexical = ({hit.chunk_id: hit.score for hit in leg} for leg in (hits.dense, hits.lexical))
    evidence = (
        Evidence(
            chunk_id=chunk_id,
            document_id=hit.document_id,
            document=hit.document,
            file_id=hit.file_id,
            attributes=dict(hit.attributes),
            knowledge_base=hit.knowledge_base,
            dated=hit.dated,
            ordinal=hit.ordinal,
            page=hit.page,
            heading=hit.heading,
            text=hit.text,
            score=relevance(signals[chunk_id]),
            dense_score=dense.get(chunk_id),
            lexical_score=lexical.get(chunk_id),
        )
        for chunk_id, hit in hits.by_id.items()
    )
    return sorted(evidence, key=lambda item: (-item.score, item.chunk_id))
