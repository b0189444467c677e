"""Search quality and refusals on the labelled handbook, per language, by the product's own code on Milvus Lite.

R1: nDCG@10 of each retriever alone and of both ranked by relevance, in a knowledge base of the whole handbook. R2:
every question is asked once with its document, and once in a knowledge base without it, as the first message and after
an answer; the default settings decide.
R3b: turns of conversations. Noted: the same as R2 for questions on a document's subject that it does not answer.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.report import Bar
from benchmarks.retrieval.library import MODEL, Library, Shelf, milvus
from benchmarks.retrieval.questions import LANGUAGES, Document, handbook
from benchmarks.retrieval.turns import RIGHT, results
from contract.search import MIN_RELEVANCE, Outcome, SearchRequest
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.ranking import ranked
from retrieval.relevance import decide
from retrieval.search import Search
from retrieval.store import Store
from serving.gateway.conversation.turn import Turn, turn

ANSWERED = (Outcome.EVIDENCE, Outcome.CONTINUED)
PARTS, QUICK_PARTS = 6, 2  # knowledge bases for R2, each without a share of the documents


@dataclass(frozen=True)
class Gains:
    """nDCG@10 for one question."""

    dense: float
    lexical: float
    hybrid: float


@dataclass(frozen=True)
class Handbook:
    documents: Sequence[Document]
    library: Library
    language: str

    def whole(self) -> Shelf:
        return self.library.shelf(f"{self.language}-whole", frozenset(range(len(self.documents))))

    def gains(self) -> list[Gains]:
        shelf = self.whole()
        return [
            self._gains(shelf, question.text, number, question.passage)
            for number, document in enumerate(self.documents)
            for question in document.questions
        ]

    def _gains(self, shelf: Shelf, question: str, document: int, passage: int) -> Gains:
        hits, query = shelf.find(question)
        relevant = {
            number
            for number, each in enumerate(self.library.passages)
            if (each.document, each.passage) == (document, passage)
        }
        orders = ([hit.ordinal for hit in hits.dense], [hit.ordinal for hit in hits.lexical],
                  [item.ordinal for item in ranked(hits, query)])  # fmt: skip
        return Gains(*(_gain(order, relevant) for order in orders))

    def outcomes(self, parts: int) -> Iterator[tuple[str, Outcome]]:
        """("answerable" or "absent" or "silent", outcome) of each question."""
        for part in range(parts):
            absent = frozenset(range(part, len(self.documents), parts))
            with_all = self.library.shelf(f"{self.language}-{part}-all", frozenset(range(len(self.documents))))
            without = self.library.shelf(f"{self.language}-{part}-some", frozenset(range(len(self.documents))) - absent)
            for number in absent:
                for question in self.documents[number].questions:
                    yield "answerable", _outcome(with_all, question.text)
                    yield "absent", _outcome(without, question.text)
                    yield "absent later", self._outcome_later(without, question.text, number)
                for text in self.documents[number].silent:
                    yield "silent", _outcome(with_all, text)

    def _outcome_later(self, shelf: Shelf, question: str, absent: int) -> Outcome:
        """The outcome if the question comes after an answer from a document that is there."""
        before = self.documents[(absent + 1) % len(self.documents)]
        asked, answered = before.questions[0].text, before.passages[before.questions[0].passage]
        if turn(question, [asked, answered]) is not Turn.FOLLOW_UP:
            return _outcome(shelf, question)
        search = Search(self.library.store, self.library.embedder, cached=1, pool=10)
        request = SearchRequest(
            tenant=shelf.scope.tenant,
            knowledge_bases=["docs"],
            query=question,
            earlier=[asked],
            answered=answered,
        )
        return asyncio.run(search.answer(request)).outcome


def _gain(order: Sequence[int], relevant: set[int]) -> float:
    return next((1 / math.log2(2 + place) for place, number in enumerate(order[:10]) if number in relevant), 0.0)


def _outcome(shelf: Shelf, question: str) -> Outcome:
    hits, query = shelf.find(question)
    return decide([item.score for item in ranked(hits, query)], MIN_RELEVANCE)


def measured(store: Store, embedder: SentenceEncoder, language: str, parts: int) -> tuple[dict[str, Bar], list[str]]:
    documents = handbook(language)
    book = Handbook(documents, Library(store, embedder, documents), language)
    gains = book.gains()
    dense, lexical, hybrid = (mean(getattr(each, name) for each in gains) for name in ("dense", "lexical", "hybrid"))
    print(f"{language}: {len(gains)} questions, nDCG@10 dense {dense:.3f}, lexical {lexical:.3f}, hybrid {hybrid:.3f}")
    outcomes = list(book.outcomes(parts))
    turns = asyncio.run(results(store, embedder, book.library, book.whole(), documents, language))
    follow_ups = [each for each in turns if each.turn.full]
    kinds = {kind: mean(each.is_right for each in turns if each.turn.kind == kind) for kind in RIGHT}
    print(f"{language}: treated rightly " + ", ".join(f"{kind} {share:.2f}" for kind, share in kinds.items()))
    answered = {kind: mean(outcome in ANSWERED for each, outcome in outcomes if each == kind)
                for kind in ("answerable", "absent", "absent later", "silent")}  # fmt: skip
    print(f"{language}: answered " + ", ".join(f"{kind} {share:.3f}" for kind, share in answered.items()), flush=True)
    bars = {
        f"R1-{language}": Bar(round(hybrid - max(dense, lexical), 4), -0.005, "nDCG@10 over the better retriever"),
        f"R2-{language}-answered": Bar(round(answered["answerable"], 3), 0.9, "of answerable questions"),
        f"R3b-{language}-treated": Bar(round(mean(each.is_right for each in turns), 3), 0.95, "of turns"),
        f"R3b-{language}-follow-ups": Bar(
            round(mean(each.is_found - each.is_full_form_found for each in follow_ups), 3), -0.03, "of the full form"
        ),
        f"R2-{language}-refused-later": Bar(round(1 - answered["absent later"], 3), 0.9, "of absent questions"),
        f"R2-{language}-refused": Bar(round(1 - answered["absent"], 3), 0.9, "of absent questions"),
    }
    notes = [
        *(f"{language}: {each.turn.kind} {each.treatment}: {each.turn.text}" for each in turns if not each.is_right),
        f"{language}: nDCG@10 dense {dense:.3f}, lexical {lexical:.3f}, hybrid {hybrid:.3f}",
        f"{language}: {1 - answered['silent']:.3f} of questions refused whose document is there and silent",
    ]
    return bars, notes


def run(quick: bool) -> tuple[dict[str, Bar], list[str]]:
    parts = QUICK_PARTS if quick else PARTS
    bars: dict[str, Bar] = {}
    notes: list[str] = []
    with milvus() as store:
        embedder = SentenceEncoder(MODEL, threads=2)
        for language in LANGUAGES:
            more, remarks = measured(store, embedder, language, parts)
            bars |= more
            notes += remarks
    return bars, notes
