"""Marks like `[2]` in an answer → annotations; marks that do not prove what they stand behind → removed and counted
(pure).

A mark stays if its passage holds every number of the sentence that it stands in, with its unit, and no name of it is
from elsewhere: a price, a term or a person that the passage does not hold is not from there. Marks side by side may
share the numbers between them. Numbers of the questions are left out, as an answer may repeat them.

A mark is part of prose. In code (between backticks) and in JSON outside its strings, `[2]` is an index or a list of one
number: it is left alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from contract.search import Evidence
from contract.vector_store import store_id
from serving.gateway.claims import Claim, Passage, proving
from serving.gateway.contradictions import Contradiction
from serving.gateway.dates import iso_date

# The longest valid mark is "[20]": longer runs are text.
_MAX_DIGITS = 2
_MOST_CONTRADICTING = 3  # passages shown with a citation
# Markdown: this many backticks open a block, fewer a span within a line.
_BLOCK_FENCE = 3
# Controls, line ends, direction marks and invisible characters.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
# Further invisible letters and marks: joiners, fillers, variation selectors.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0" + "".join(map(chr, range(0xFE00, 0xFE10))))


class ProseTracker:
    """Follows an answer, and decides whether its next character is prose: not code, and not JSON."""

    def __init__(self) -> None:
        self._json: bool | None = None  # known after the first non-space character
        self._in_string = False
        self._escaped = False
        self._fence = 0  # backticks opening the current code
        self._run = 0  # backticks in a row, so far

    @property
    def is_prose(self) -> bool:
        if self._json:
            return self._in_string
        return not self._fence_now

    def pass_over(self, character: str) -> None:
        if self._json is None and not character.isspace():
            self._json = character == "{"
        if self._json:
            self._pass_json(character)
        elif character == "`":
            self._run += 1
        else:
            self._fence, self._run = self._fence_now, 0
            if character == "\n" and self._fence < _BLOCK_FENCE:
                self._fence = 0  # inline code ends at the newline

    def _pass_json(self, character: str) -> None:
        if character == '"' and not self._escaped:
            self._in_string = not self._in_string
        self._escaped = character == "\\" and not self._escaped

    @property
    def _fence_now(self) -> int:
        """Code is closed by at least as many backticks as opened it."""
        if not self._fence or not self._run:
            return self._fence or self._run
        return 0 if self._run >= self._fence else self._fence


_ABBREVIATIONS = frozenset(
    {"approx.", "incl.", "excl.", "e.g.", "i.e.", "vs.", "no.", "nr.", "ca.", "z.b.", "etc.", "st."}
)
_ORDINAL_DAY = re.compile(r"\d{1,2}\.")  # 10. Juni; a list's number, too


_MOST_CLAUSE = 1_000
"""Characters of a sentence; of a longer one the end counts, because each mark of an answer reads it again."""


class Clause:
    """The sentence that grows in an answer, since its last mark; before it begins, the one before."""

    def __init__(self, before: str = "") -> None:
        self._before, self._text = before, ""

    def add(self, character: str) -> None:
        if character == "\n":
            self._before, self._text = self.text, ""
            return
        if self._ends(character):
            self._before, self._text = self.text, ""
        self._text = (self._text + character)[-_MOST_CLAUSE:]

    def _ends(self, character: str) -> bool:
        """True for the first letter of a new sentence."""
        before = self._text.rstrip()
        if len(before) == len(self._text) or not before.endswith((".", "!", "?", "\u3002")) or character.isspace():
            return False
        word = before.rpartition(" ")[2].lstrip("(").casefold()
        is_short = word in _ABBREVIATIONS or bool(_ORDINAL_DAY.fullmatch(word))
        return not (character.islower() or character == "[" or is_short)

    @property
    def text(self) -> str:
        return self._text if any(map(str.isalnum, self._text)) else self._before


class CitationParser:
    """Follows a growing answer, in pieces of any size.

    A mark may be cut anywhere, so the possible beginning of one is kept back until the rest arrives.
    """

    def __init__(
        self, evidence: Sequence[Evidence], question: str = "", contradictions: Sequence[Contradiction] = ()
    ) -> None:
        self._evidence, self._question, self._contradictions = evidence, Passage(question), contradictions
        self._passages = [Passage(_text(item)) for item in evidence]
        self._run: list[int] = []  # marks side by side, which wait for the next character
        self._clause = Clause()
        self._tracker = ProseTracker()
        self._pending = ""
        self._length = 0
        self.annotations: list[dict[str, Any]] = []
        self.removed = 0

    def feed(self, piece: str) -> str:
        """The text that can no longer change, without invalid citations."""
        return "".join(self._character(character) for character in piece)

    def end(self) -> str:
        return self._settle() + self._release()

    def _character(self, character: str) -> str:
        if self._run and not self._pending and character != "[":
            return self._settle() + self._character(character)
        if character == "[" and self._tracker.is_prose:
            return self._release(next_pending="[")
        if not self._pending:
            return self._plain(character)
        if character == "]" and len(self._pending) > 1:
            return self._mark(int(self._pending[1:]))
        if character in "0123456789" and len(self._pending) <= _MAX_DIGITS:
            self._pending += character
            return ""
        return self._release() + self._plain(character)

    def _plain(self, character: str) -> str:
        self._tracker.pass_over(character)
        self._clause.add(character if self._tracker.is_prose else "\n")
        self._length += 1
        return character

    def _release(self, next_pending: str = "") -> str:
        """The text that is no mark, after the marks before it; those wait if another one may begin here."""
        settled = "" if not self._pending and next_pending else self._settle()
        text, self._pending = "".join(map(self._plain, self._pending)), next_pending
        return settled + text

    def _mark(self, number: int) -> str:
        self._pending = ""
        self._run.append(number)
        return ""

    def _settle(self) -> str:
        """The marks of a run that stay."""
        run, self._run = self._run, []
        if not run:
            return ""
        clause = self._clause.text
        kept = proving(run, self._passages, Claim.of(clause, self._question), self._question)
        self.removed += len(run) - len(kept)
        text = "".join(map(self._written, kept))
        self._clause = Clause(clause)
        return text

    def _written(self, number: int) -> str:
        start = self._length
        text = "".join(map(self._plain, f"[{number}]"))
        others = [pair.other(number - 1) for pair in self._contradictions]
        contradicting = [self._evidence[other] for other in others if other is not None][:_MOST_CONTRADICTING]
        self.annotations.append(_annotation(self._evidence[number - 1], contradicting, start, self._length))
        return text


def _text(evidence: Evidence) -> str:
    return f"{evidence.document} {evidence.heading} {evidence.text}"


def _annotation(evidence: Evidence, contradicting: Sequence[Evidence], start: int, end: int) -> dict[str, Any]:
    """OpenAI's `url_citation`, with the pointer into the knowledge base beside it, and the passages that contradict."""
    return {
        "type": "url_citation",
        "url_citation": {
            "start_index": start,
            "end_index": end,
            "title": _title(evidence.document),
            "url": _url(evidence),
            "file_id": evidence.file_id,
            "document_id": evidence.document_id,
            "chunk_id": evidence.chunk_id,
            "text": evidence.text,
            "page": evidence.page or None,
            "dated": iso_date(evidence.dated),
            "contradicted_by": [
                {
                    "title": _title(other.document),
                    "url": _url(other),
                    "text": other.text,
                    "page": other.page or None,
                    "dated": iso_date(other.dated),
                }
                for other in contradicting
            ],
        },
    }


def _url(evidence: Evidence) -> str:
    """The address of a web page, or the API's own address of the document's passages, relative to the gateway."""
    page = evidence.attributes.get("url")
    if isinstance(page, str) and page.startswith(("https://", "http://")):
        return page
    store, file, chunk = (quote(part, safe="") for part in (
        store_id(evidence.knowledge_base), evidence.file_id, evidence.chunk_id))  # fmt: skip
    return f"/v1/vector_stores/{store}/files/{file}/content#{chunk}"


def _title(document: str) -> str:
    return "".join(c for c in document if unicodedata.category(c) not in _UNSEEN and c not in _BLANK)
