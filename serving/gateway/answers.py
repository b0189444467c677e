"""An engine's answer → the caller's answer: its own model name, citations, usage on request only.

A plain stream is relayed as bytes; only its usage event is parsed. A stream with citations, or for a caller of
the older `functions` parameter, is parsed event by event.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from serving.gateway import sse
from serving.gateway.citations import CitationParser
from serving.gateway.grounds import Grounds

# The engine's spelling of the usage event. Quotes within text are escaped, so text cannot imitate it.
_USAGE_EVENT = b'"choices":[]'
_FINISH_REASON = re.compile(rb'"finish_reason":"(\w+)"')


@dataclass
class Tokens:
    prompt: int = 0
    completion: int = 0

    def take(self, usage: Any) -> None:
        if usage:
            self.prompt, self.completion = usage["prompt_tokens"], usage["completion_tokens"]


class Stream(Protocol):
    tokens: Tokens
    finished: bool
    finish_reason: str | None

    @property
    def removed_marks(self) -> int: ...

    @property
    def cited(self) -> bool | None:
        """True if the answer cites a document; None without documents."""

    def feed(self, block: bytes) -> bytes: ...


class PlainStream:
    """Relays bytes. `finished` is true once the end mark has passed."""

    def __init__(self, *, engine_name: str, name: str, show_usage: bool) -> None:
        self._model = f'"model":{orjson.dumps(engine_name).decode()}'.encode()
        self._shown_model = f'"model":{orjson.dumps(name).decode()}'.encode()
        self._show_usage = show_usage
        self.tokens = Tokens()
        self.finished = False
        self.finish_reason: str | None = None

    @property
    def removed_marks(self) -> int:
        return 0

    @property
    def cited(self) -> bool | None:
        return None

    def feed(self, block: bytes) -> bytes:
        if block.endswith(sse.DONE):
            self.finished = True
        if reason := _FINISH_REASON.search(block):
            self.finish_reason = reason[1].decode()
        shown = block.replace(self._model, self._shown_model)
        if _USAGE_EVENT not in shown:
            return shown
        return b"".join(event for event in sse.events(shown) if self._passes(event))

    def _passes(self, event: bytes) -> bool:
        if _USAGE_EVENT not in event:
            return True
        self.tokens.take(sse.data(event)["usage"])
        return self._show_usage


class RewrittenStream:
    """Checks the marks of every choice as it grows; annotations come with the choice's last piece.

    `grounds` is None for an answer without documents; an explanation comes with the first event. `legacy` reports tool
    calls as `function_call`.
    """

    def __init__(self, grounds: Grounds | None, *, name: str, show_usage: bool, legacy: bool) -> None:
        self._grounds = grounds
        self._shown = _shown(grounds)
        self._name = name
        self._show_usage = show_usage
        self._legacy = legacy
        self._marks: dict[int, CitationParser] = {}
        self.tokens = Tokens()
        self.finished = False
        self.finish_reason: str | None = None

    @property
    def removed_marks(self) -> int:
        return sum(marks.removed for marks in self._marks.values())

    @property
    def cited(self) -> bool | None:
        return None if self._grounds is None else any(marks.annotations for marks in self._marks.values())

    def feed(self, block: bytes) -> bytes:
        return b"".join(self._event(event) for event in sse.events(block))

    def _event(self, event: bytes) -> bytes:
        if event == sse.DONE:
            self.finished = True
        value = sse.data(event)
        if not isinstance(value, dict) or "choices" not in value:
            return event
        value["model"] = self._name
        if not value["choices"]:
            self.tokens.take(value["usage"])
            return sse.event(value) if self._show_usage else b""
        for choice in value["choices"]:
            self._choice(choice)
        shown, self._shown = self._shown, {}
        return sse.event(value | shown)

    def _choice(self, choice: dict[str, Any]) -> None:
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        if self._grounds is not None:
            if choice["index"] not in self._marks:
                self._marks[choice["index"]] = _parser(self._grounds)
            self._cite(choice, self._marks[choice["index"]])
        if self._legacy:
            _call_functions(choice, choice["delta"])

    def _cite(self, choice: dict[str, Any], marks: CitationParser) -> None:
        delta = choice["delta"]
        text = marks.feed(delta.get("content") or "")
        if choice.get("finish_reason"):
            text += marks.end()
            delta["annotations"] = marks.annotations
        if text or delta.get("content") is not None:
            delta["content"] = text


@dataclass(frozen=True)
class Whole:
    """An answer in one piece."""

    body: bytes
    tokens: Tokens
    finish_reason: str | None
    removed_marks: int
    cited: bool | None


def whole(raw: bytes, *, name: str, grounds: Grounds | None, legacy: bool = False) -> Whole:
    value = orjson.loads(raw) | _shown(grounds)
    evidence = None if grounds is None else grounds.passages
    choices = value["choices"]
    value["model"] = name
    removed = 0 if grounds is None else sum(_annotate(choice["message"], grounds) for choice in choices)
    tokens = Tokens()
    tokens.take(value.get("usage"))
    cited = None if evidence is None else any(choice["message"]["annotations"] for choice in choices)
    finish_reason = choices[0].get("finish_reason")
    if legacy:
        for choice in choices:
            _call_functions(choice, choice["message"])
    return Whole(orjson.dumps(value), tokens, finish_reason, removed, cited)


def _shown(grounds: Grounds | None) -> dict[str, Any]:
    """The field of an answer for callers who ask for an explanation."""
    return {"retrieval": grounds.explanation} if grounds and grounds.explanation else {}


def _parser(grounds: Grounds) -> CitationParser:
    return CitationParser(grounds.passages, grounds.question, grounds.contradictions)


def _annotate(message: dict[str, Any], grounds: Grounds) -> int:
    marks = _parser(grounds)
    text = marks.feed(message.get("content") or "") + marks.end()
    if message.get("content") is not None:
        message["content"] = text
    message["annotations"] = marks.annotations
    return marks.removed


def _call_functions(choice: dict[str, Any], part: dict[str, Any]) -> None:
    """Converts the first tool call of a message, or of a stream's delta, to the older `function_call`."""
    calls = part.pop("tool_calls", None)
    if calls and not calls[0].get("index"):
        part["function_call"] = calls[0]["function"]
    if choice.get("finish_reason") == "tool_calls":
        choice["finish_reason"] = "function_call"
