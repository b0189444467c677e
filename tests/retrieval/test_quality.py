"""Found at all, and in the right order: a small handbook in two languages, in one knowledge base."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import pytest

from contract.search import MIN_RELEVANCE, Evidence, Outcome
from retrieval.bm25 import Statistics, query_vector
from retrieval.embedding.legibility import ENOUGH
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.lexical import query_terms
from retrieval.ranking import Hits, Query, ranked
from retrieval.relevance import decide
from retrieval.scope import Scope
from retrieval.store import Store
from tests.retrieval.chunks import stored
from tests.retrieval.corpora import TOPICS

POOL = 10


@dataclass(frozen=True)
class Asked:
    """A question, the text that answers it, and its hits."""

    query: Query
    answer: str
    hits: Hits

    @property
    def ranked(self) -> list[Evidence]:
        return ranked(self.hits, self.query)


@dataclass(frozen=True)
class Handbook:
    store: Store
    embedder: SentenceEncoder
    scope: Scope
    statistics: Statistics

    def ask(self, question: str, answer: str) -> Asked:
        is_read = self.embedder.legibility(question) >= ENOUGH
        query = Query(
            question, self.embedder.embed_queries([question])[0], is_read, query_terms(question), self.embedder.id
        )
        rarities = self.statistics.rarities(query.terms)
        dense = self.store.dense(self.scope, self.embedder.id, query.vector, POOL) if is_read else []
        lexical = self.store.lexical(self.scope, query_vector(rarities), POOL)
        return Asked(query, answer, Hits(dense, lexical, rarities, self.statistics.largest_rarity))


@pytest.fixture(scope="module")
def handbook(store: Store, embedder: SentenceEncoder) -> Handbook:
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
    """Mean nDCG@10 of the dense retriever, the lexical retriever, and all hits by relevance."""
    return (
        mean(gain([hit.text for hit in each.hits.dense], each.answer) for each in asked),
        mean(gain([hit.text for hit in each.hits.lexical], each.answer) for each in asked),
        mean(gain([item.text for item in each.ranked], each.answer) for each in asked),
    )


def passed(asked: Sequence[Asked]) -> float:
    """The share of questions that are answered from documents."""
    outcomes = [decide([item.score for item in each.ranked], MIN_RELEVANCE) for each in asked]
    return mean(outcome is Outcome.EVIDENCE for outcome in outcomes)


def test_korean_is_found_and_not_spoiled_by_the_english_embedder(korean: list[Asked]) -> None:
    dense, lexical, both = quality(korean)
    assert lexical > 0.9
    assert both >= max(dense, lexical) - 0.01


def test_english_is_not_spoiled_by_the_lexical_retriever(english: list[Asked]) -> None:
    dense, lexical, both = quality(english)
    assert dense > 0.85
    assert both >= max(dense, lexical) - 0.01


def test_questions_are_answered_although_they_use_other_words(korean: list[Asked], english: list[Asked]) -> None:
    """Every question shares few or no words with its one sentence, which is harder than a handbook's paragraphs."""
    assert passed(korean) >= 0.5
    assert passed(english) >= 0.5


def test_questions_about_what_nobody_named_are_refused(handbook: Handbook) -> None:
    unknown = ("Velmora Basic", "Huxtrea Pro", "Fouyeckyea Silver", "Rackgex Gold")
    asked = [handbook.ask(f"What is the internal margin of the {name}?", "") for name in unknown]
    assert passed(asked) == 0
