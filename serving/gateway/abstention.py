"""The gateway's own answer, in an engine's format: no tokens, `finish_reason` stop, `abstained` true (pure)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from serving.gateway import sse
from serving.gateway.schemas import ChatRequest

TEXT = "I do not know: your documents hold nothing on this."
KOREAN_TEXT = "모르겠습니다. 문서에 이에 관한 내용이 없습니다."

_HANGUL = re.compile("[\uac00-\ud7a3]")
_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@dataclass(frozen=True)
class Abstention:
    """`request_id` becomes the answer's id, `created` is in seconds since 1970, `name` the requested model."""

    request_id: str
    created: int
    name: str
    explanation: Mapping[str, Any] | None = None
    """Shown as `retrieval`, in a stream with the first event."""
    sentence: str = ""
    """The answer in the tenant's words."""

    def body(self, request: ChatRequest) -> bytes:
        """The answer with as many choices as the request asks for, streamed or whole."""
        head = {"id": f"chatcmpl-{self.request_id}", "created": self.created, "model": self.name}
        shown = {"retrieval": self.explanation} if self.explanation else {}
        message = _message(request, self.sentence)
        return _streamed(head, request, message, shown) if request.stream else _whole(head | shown, request, message)


def _message(request: ChatRequest, sentence: str) -> dict[str, Any]:
    """If a format is required, plain text would violate it: clients then expect the field `refusal`."""
    text = sentence or (KOREAN_TEXT if _HANGUL.search(request.question) else TEXT)
    said = {"content": None, "refusal": text} if request.has_form else {"content": text}
    return {"role": "assistant", **said, "annotations": [], "abstained": True}


def _whole(head: dict[str, Any], request: ChatRequest, message: dict[str, Any]) -> bytes:
    choices = [{"index": index, "message": message, "finish_reason": "stop", "logprobs": None}
               for index in range(request.answers)]  # fmt: skip
    return orjson.dumps({**head, "object": "chat.completion", "choices": choices, "usage": _USAGE})


def _streamed(head: dict[str, Any], request: ChatRequest, message: dict[str, Any], shown: dict[str, Any]) -> bytes:
    head = {**head, "object": "chat.completion.chunk"}
    choices = [{"index": index, "delta": message, "finish_reason": "stop", "logprobs": None}
               for index in range(request.answers)]  # fmt: skip
    first, *more = choices
    events = [sse.event({**head, **shown, "choices": [first]}), *(sse.event({**head, "choices": [c]}) for c in more)]
    if request.show_usage:
        events.append(sse.event({**head, "choices": [], "usage": _USAGE}))
    return b"".join((*events, sse.DONE))
