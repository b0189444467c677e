"""Marks like `[2]` in an answer → annotations; marks that point to nothing → removed and counted (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# The longest mark that can point anywhere is "[20]": longer runs are text.
_MAX_DIGITS = 2


@dataclass(frozen=True)
class Evidence:
    """One chunk that was retrieved for one request. `document` is the file's name within its knowledge base."""

    chunk_id: str
    document_id: str
    document: str
    knowledge_base: str
    text: str


class Marks:
    """Follows an answer as it grows, in pieces of any size.

    A mark may be cut anywhere, so what might still become one is held back: at most four characters.
    """

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._evidence = evidence
        self._held = ""
        self._length = 0
        self.annotations: list[dict[str, Any]] = []
        self.removed = 0

    def feed(self, piece: str) -> str:
        """The part of the answer that is certain now, without marks that point to nothing."""
        return "".join(self._character(character) for character in piece)

    def end(self) -> str:
        return self._release()

    def _character(self, character: str) -> str:
        if character == "[":
            return self._release(then_hold="[")
        if not self._held:
            return self._plain(character)
        if character == "]" and len(self._held) > 1:
            return self._mark(int(self._held[1:]))
        if character in "0123456789" and len(self._held) <= _MAX_DIGITS:
            self._held += character
            return ""
        return self._release() + self._plain(character)

    def _plain(self, character: str) -> str:
        self._length += 1
        return character

    def _release(self, then_hold: str = "") -> str:
        text, self._held = self._held, then_hold
        self._length += len(text)
        return text

    def _mark(self, number: int) -> str:
        if not 1 <= number <= len(self._evidence):
            self._held = ""
            self.removed += 1
            return ""
        start = self._length
        text = self._release() + self._plain("]")
        self.annotations.append(_annotation(self._evidence[number - 1], start, self._length))
        return text


def _annotation(evidence: Evidence, start: int, end: int) -> dict[str, Any]:
    """OpenAI's `url_citation`, with the pointer into the knowledge base beside it."""
    return {
        "type": "url_citation",
        "url_citation": {
            "start_index": start,
            "end_index": end,
            "title": evidence.document,
            "url": f"quiver:{evidence.knowledge_base}/{evidence.document}#{evidence.chunk_id}",
            "document_id": evidence.document_id,
            "chunk_id": evidence.chunk_id,
            "text": evidence.text,
        },
    }
