"""An engine's answer → what the caller sees: its own name for the model, citations, no usage it did not ask for.

A plain stream is relayed as bytes; only the event that carries its usage is parsed. A grounded stream is parsed event
by event, since its marks are checked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from serving.gateway import sse
from serving.gateway.citations import Evidence, Marks

# How an engine writes the event that carries usage. Within text every quote is escaped, so text cannot look like it.
_USAGE_EVENT = b'"choices":[]'
_FINISH_REASON = re.compile(rb'"finish_reason":"(\w+)"')
_FIELDS = ("id", "object", "created", "model", "choices", "usage", "system_fingerprint")


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
        """Whether the answer points to a document; None where none was given."""

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


class GroundedStream:
    """Checks the marks of every choice as it grows; annotations come with the choice's last piece."""

    def __init__(self, evidence: Sequence[Evidence], *, name: str, show_usage: bool) -> None:
        self._evidence = evidence
        self._name = name
        self._show_usage = show_usage
        self._marks: dict[int, Marks] = {}
        self.tokens = Tokens()
        self.finished = False
        self.finish_reason: str | None = None

    @property
    def removed_marks(self) -> int:
        return sum(marks.removed for marks in self._marks.values())

    @property
    def cited(self) -> bool | None:
        return any(marks.annotations for marks in self._marks.values())

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
        return sse.event(value)

    def _choice(self, choice: dict[str, Any]) -> None:
        marks = self._marks.setdefault(choice["index"], Marks(self._evidence))
        delta = choice["delta"]
        text = marks.feed(delta.get("content") or "")
        if choice.get("finish_reason"):
            self.finish_reason = choice["finish_reason"]
            text += marks.end()
            delta["annotations"] = marks.annotations
        if text or "content" in delta:
            delta["content"] = text


@dataclass(frozen=True)
class Whole:
    """An answer that came in one piece."""

    body: bytes
    tokens: Tokens
    finish_reason: str | None
    removed_marks: int
    cited: bool | None


def whole(raw: bytes, *, name: str, evidence: Sequence[Evidence] | None) -> Whole:
    value = {key: item for key, item in orjson.loads(raw).items() if key in _FIELDS}
    value["model"] = name
    removed = sum(_annotate(choice["message"], evidence) for choice in value["choices"]) if evidence is not None else 0
    tokens = Tokens()
    tokens.take(value.get("usage"))
    cited = None if evidence is None else any(choice["message"]["annotations"] for choice in value["choices"])
    return Whole(orjson.dumps(value), tokens, value["choices"][0].get("finish_reason"), removed, cited)


def _annotate(message: dict[str, Any], evidence: Sequence[Evidence]) -> int:
    marks = Marks(evidence)
    message["content"] = marks.feed(message.get("content") or "") + marks.end()
    message["annotations"] = marks.annotations
    return marks.removed


def abstention(*, request_id: str, created: int, name: str, text: str, stream: bool, show_usage: bool) -> bytes:
    """An answer of our own in an engine's shape: no tokens, `finish_reason` stop."""
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    head = {"id": f"chatcmpl-{request_id}", "created": created, "model": name}
    message = {"role": "assistant", "content": text, "annotations": []}
    if not stream:
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return orjson.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
    head["object"] = "chat.completion.chunk"
    choice = {"index": 0, "delta": message, "finish_reason": "stop", "logprobs": None}
    events = [sse.event({**head, "choices": [choice]})]
    if show_usage:
        events.append(sse.event({**head, "choices": [], "usage": usage}))
    return b"".join((*events, sse.DONE))
