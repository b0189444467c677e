"""What becomes of labelled turns of conversations: questions, follow-ups, small talk, and questions on other subjects.

`turns.jsonl` was labelled by readers of the handbook who did not see how turns are told apart.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from benchmarks.retrieval.library import Library, Shelf
from benchmarks.retrieval.questions import Document
from contract.search import Evidence, SearchRequest
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.search import Search
from retrieval.store import Store
from serving.gateway.conversation.turn import Turn, previous_questions, turn, without_marks, without_small_talk

TOP_K = 4


class Treatment(StrEnum):
    DOCUMENTS = "answered from documents"
    MODEL = "left to the model"
    ABSTAINED = "refused"


RIGHT = {
    "question": {Treatment.DOCUMENTS},
    "follow_up": {Treatment.DOCUMENTS},
    "small_talk": {Treatment.MODEL},
    # The model sees the conversation; passages of the question before do no harm.
    "about_answer": {Treatment.MODEL, Treatment.DOCUMENTS},
    "off_topic": {Treatment.ABSTAINED},
}


@dataclass(frozen=True)
class LabelledTurn:
    language: str
    kind: str
    before: tuple[str, ...]
    """The user's earlier messages."""
    answered: str
    """The answer before the turn; empty without one."""
    text: str
    full: str = ""
    """A follow-up as a question that stands alone."""
    document: str = ""
    passage: int = -1


@dataclass(frozen=True)
class Result:
    turn: LabelledTurn
    treatment: Treatment
    is_found: bool
    """Whether the labelled passage is among the evidence."""
    is_full_form_found: bool

    @property
    def is_right(self) -> bool:
        """A follow-up answered from other passages than the labelled one is not."""
        if self.turn.full and not self.is_found:
            return False
        return self.treatment in RIGHT[self.turn.kind]


def labelled(language: str) -> list[LabelledTurn]:
    lines = (Path(__file__).parent / "turns.jsonl").read_text().splitlines()
    return [_turn(value) for value in map(json.loads, lines) if value["language"] == language]


def _turn(value: dict[str, object]) -> LabelledTurn:
    history = value["history"]
    assert isinstance(history, list)
    return LabelledTurn(
        language=str(value["language"]),
        kind=str(value["kind"]),
        before=tuple(pair["user"] for pair in history),
        answered=history[-1]["assistant"] if history else "",
        text=str(value["turn"]),
        full=str(value.get("full", "")),
        document=str(value.get("document", "")),
        passage=int(str(value.get("passage", 0))) - 1,
    )


async def results(
    store: Store,
    embedder: SentenceEncoder,
    library: Library,
    shelf: Shelf,
    documents: Sequence[Document],
    language: str,
) -> list[Result]:
    search = Search(store, embedder, cached=64, pool=10)
    titles = {document.title: number for number, document in enumerate(documents)}

    def holds(evidence: Sequence[Evidence], wanted: LabelledTurn) -> bool:
        places = (library.passages[item.ordinal] for item in evidence)
        return (titles.get(wanted.document), wanted.passage) in {(place.document, place.passage) for place in places}

    async def find(text: str, earlier: Sequence[str] = (), answered: str = "") -> list[Evidence]:
        answer = await search.answer(
            SearchRequest(
                tenant=shelf.scope.tenant,
                knowledge_bases=["docs"],
                query=text,
                earlier=list(earlier),
                answered=answered,
                top_k=TOP_K,
            )
        )
        return answer.evidence

    made: list[Result] = []
    for each in labelled(language):
        kind = turn(each.text, [*each.before, each.answered] if each.before else [])
        earlier = previous_questions(each.before) if kind is Turn.FOLLOW_UP else []
        answered = each.answered if kind is Turn.FOLLOW_UP else ""
        evidence = await find(without_small_talk(each.text), earlier, without_marks(answered))
        full = await find(each.full) if each.full else []
        made.append(Result(each, _treatment(kind, evidence), holds(evidence, each), holds(full, each)))
    return made


def _treatment(kind: Turn, evidence: Sequence[Evidence]) -> Treatment:
    """As the gateway: `serving.gateway.evidence.Query.may_be_conversation`."""
    if evidence:
        return Treatment.DOCUMENTS
    return Treatment.ABSTAINED if kind.needs_documents else Treatment.MODEL
