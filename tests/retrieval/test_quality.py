"""Found at all, and in the right order: a small handbook in two languages, in one knowledge base."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import pytest
from pydantic import SecretStr

from contract.search import Outcome
from retrieval.bm25 import Statistics, query_vector
from retrieval.embedding.legibility import ENOUGH
from retrieval.embedding.model import Embedder
from retrieval.gate import decide
from retrieval.lexical import capitalised, query_terms
from retrieval.scope import Scope
from retrieval.search import Hits, Query, nearness_of, ranked
from retrieval.settings import Settings
from retrieval.store import Store
from tests.retrieval.chunks import stored
from tests.retrieval.corpora import TOPICS

POOL = 10


@dataclass(frozen=True)
class Asked:
    """A question, the text that answers it, and what was found."""

    query: Query
    answer: str
    found: Hits


@dataclass(frozen=True)
class Handbook:
    store: Store
    embedder: Embedder
    scope: Scope
    statistics: Statistics

    def ask(self, question: str, answer: str) -> Asked:
        names = [word for word in capitalised(question) if not self.embedder.knows(word)]
        query = Query(
            vector=self.embedder.embed([question])[0],
            legible=self.embedder.legibility(question),
            terms=query_terms(question),
            names=query_terms(" ".join(names)),
        )
        dense = self.store.dense(self.scope, query.vector, POOL) if query.legible >= ENOUGH else []
        return Asked(
            query,
            answer,
            Hits(dense, self.store.lexical(self.scope, query_vector(query.terms, self.statistics), POOL)),
        )


@pytest.fixture(scope="module")
def handbook(store: Store, embedder: Embedder) -> Handbook:
    scope = Scope("handbook", ("kb",))
    stored(store, embedder, scope, [text for topic in TOPICS for text in (topic.english, topic.korean)])
    return Handbook(store, embedder, scope, Statistics.of(store.terms(scope, 1_000)))


@pytest.fixture(scope="module")
def korean(handbook: Handbook) -> list[Asked]:
    return [handbook.ask(topic.korean_question, topic.korean) for topic in TOPICS]


@pytest.fixture(scope="module")
def english(handbook: Handbook) -> list[Asked]:
    """Questions in other words, and searches by some of the document's own words."""
    paraphrased = [handbook.ask(topic.english_question, topic.english) for topic in TOPICS]
    keywords = [handbook.ask(" ".join(query_terms(topic.english)[::2]), topic.english) for topic in TOPICS]
    return paraphrased + keywords


def gain(texts: Sequence[str], answer: str) -> float:
    """nDCG@10 with one relevant text."""
    return 1 / math.log2(2 + texts.index(answer)) if answer in texts[:10] else 0.0


def quality(asked: Sequence[Asked]) -> tuple[float, float, float]:
    """Mean nDCG@10 of the dense leg, the lexical leg and both fused."""
    return (
        mean(gain([hit.text for hit in each.found.dense], each.answer) for each in asked),
        mean(gain([hit.text for hit in each.found.lexical], each.answer) for each in asked),
        mean(gain([hit.text for hit in ranked(each.found, each.query)], each.answer) for each in asked),
    )


def passed(asked: Sequence[Asked]) -> float:
    limits = Settings(token=SecretStr("x" * 16), milvus_uri="none", embedder=Path()).thresholds
    outcomes = [decide(nearness_of(each.found, each.query), len(each.found.by_id), limits) for each in asked]
    return mean(outcome is Outcome.EVIDENCE for outcome in outcomes)


def test_korean_is_found_and_not_spoiled_by_the_english_embedder(korean: list[Asked]) -> None:
    dense, lexical, fused = quality(korean)
    assert lexical > 0.9
    assert fused >= max(dense, lexical) - 0.01


def test_english_is_not_spoiled_by_the_lexical_leg(english: list[Asked]) -> None:
    dense, lexical, fused = quality(english)
    assert dense > 0.85
    assert fused >= max(dense, lexical) - 0.01


def test_the_gate_lets_answerable_questions_through(korean: list[Asked], english: list[Asked]) -> None:
    assert passed(korean + english) >= 0.98


def test_the_gate_stops_questions_about_what_nobody_named(handbook: Handbook) -> None:
    unknown = ("Velmora Basic", "Huxtrea Pro", "Fouyeckyea Silver", "Rackgex Gold")
    asked = [handbook.ask(f"What is the internal margin of the {name}?", "") for name in unknown]
    assert passed(asked) == 0
