"""An answer of the chat API → what the page shows of it (pure)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from contract.vector_store import store_id

Json = Mapping[str, Any]
_DIGEST_DIGITS = 16


def passage_digest(text: str) -> str:
    """Names a passage in an address."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]


@dataclass(frozen=True)
class Segment:
    """A piece of the answer: text, or the mark of a passage."""

    text: str
    passage: int | None = None


@dataclass(frozen=True)
class Passage:
    """A cited passage. `address` opens its document, at the passage; empty if it is in none of the collections."""

    mark: str
    title: str
    heading: str
    page: int | None
    text: str
    dated: str
    address: str
    contradicted_by: Sequence[Json] = ()


@dataclass
class Answer:
    """Grows with the chunks of a stream. `fault` says why it broke off."""

    text: str = ""
    annotations: list[Json] = field(default_factory=list)
    retrieval: Json | None = None
    is_abstention: bool = False
    fault: str = ""

    def add(self, chunk: Json) -> str:
        """Takes a chunk in, and returns its text."""
        if error := chunk.get("error"):
            self.fault = str(error.get("message", "")) or "error"
        self.retrieval = chunk.get("retrieval") or self.retrieval
        added = ""
        for choice in chunk.get("choices", ()):
            delta = choice.get("delta") or choice.get("message") or {}
            added += delta.get("content") or delta.get("refusal") or ""
            self.annotations += delta.get("annotations") or ()
            self.is_abstention |= bool(delta.get("abstained"))
        self.text += added
        return added

    @property
    def citations(self) -> list[Json]:
        return [each["url_citation"] for each in self.annotations if each.get("type") == "url_citation"]

    @property
    def considered(self) -> Sequence[Json]:
        """All hits, the most relevant first."""
        passages: Sequence[Json] = (self.retrieval or {}).get("passages", ())
        return passages

    @property
    def segments(self) -> list[Segment]:
        """The text with its marks, in order."""
        numbers = {passage.mark: number for number, passage in enumerate(self.passages)}
        segments, end = [], 0
        for citation in sorted(self.citations, key=lambda each: each["start_index"]):
            start, stop = citation["start_index"], citation["end_index"]
            mark = self.text[start:stop]
            segments += [Segment(self.text[end:start]), Segment(mark, numbers[mark])]
            end = stop
        return [each for each in [*segments, Segment(self.text[end:])] if each.text]

    @property
    def passages(self) -> list[Passage]:
        """Each cited passage once, in the order of the answer."""
        by_chunk = {each["chunk_id"]: each for each in self.considered}
        shown: dict[str, Passage] = {}
        for citation in self.citations:
            mark = self.text[citation["start_index"] : citation["end_index"]]
            shown.setdefault(mark, _passage(mark, citation, by_chunk.get(citation["chunk_id"], {})))
        return list(shown.values())


def _passage(mark: str, citation: Json, considered: Json) -> Passage:
    return Passage(
        mark=mark,
        title=citation["title"],
        heading=considered.get("heading", ""),
        page=citation.get("page"),
        text=citation["text"],
        dated=citation.get("dated") or "",
        address=document_address(considered) if considered else "",
        contradicted_by=citation.get("contradicted_by") or (),
    )


def document_address(considered: Json) -> str:
    """The page of a retrieved passage's document, at the passage."""
    store, file = quote(store_id(considered["knowledge_base"]), safe=""), quote(considered["file_id"], safe="")
    return f"/documents/{store}/{file}?cited={passage_digest(considered['text'])}#cited"


def chunk_of(line: bytes) -> Json | None:
    """The JSON of a line of a stream; None for other lines."""
    if not line.startswith(b"data:"):
        return None
    data = line.removeprefix(b"data:").strip()
    if not data or data == b"[DONE]":
        return None
    chunk: Json = json.loads(data)
    return chunk
