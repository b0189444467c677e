"""The passages behind an answer, and their explanation for callers who ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.search import Evidence, SearchResponse
from serving.gateway.contradictions import Contradiction, contradictions
from serving.gateway.dates import iso_date
from serving.gateway.evidence import Query


@dataclass(frozen=True)
class Grounds:
    """`passages` are those in the prompt, in the order of their marks. An `explanation` is shown with the answer."""

    passages: Sequence[Evidence]
    explanation: Mapping[str, Any] | None
    question: str = ""
    contradictions: Sequence[Contradiction] = ()
    """Pairs of the passages."""


def grounds(query: Query, hits: SearchResponse, passages: Sequence[Evidence]) -> Grounds:
    pairs = contradictions(passages)
    explanation = _explanation(query, hits, passages, pairs) if query.explain else None
    return Grounds(passages, explanation, query.asked, pairs)


def _explanation(
    query: Query, hits: SearchResponse, passages: Sequence[Evidence], pairs: Sequence[Contradiction]
) -> Mapping[str, Any]:
    """The outcome of the search, and every passage that was considered, the most relevant first."""
    marks = {item.chunk_id: number for number, item in enumerate(passages, 1)}
    return {
        "outcome": hits.outcome.value,
        "min_relevance": query.min_relevance,
        "contradictions": [{"newer": pair.newer + 1, "older": pair.older + 1} for pair in pairs],
        "passages": [
            {
                "mark": marks.get(item.chunk_id),
                "knowledge_base": item.knowledge_base,
                "document": item.document,
                "heading": item.heading,
                "page": item.page or None,
                "text": item.text,
                "dated": iso_date(item.dated),
                "relevance": round(item.score, 4),
                "dense_score": item.dense_score,
                "lexical_score": item.lexical_score,
                "rerank_score": item.rerank_score,
                "file_id": item.file_id,
                "document_id": item.document_id,
                "chunk_id": item.chunk_id,
            }
            for item in hits.considered
        ],
    }
