"""The gateway's own answer, in an engine's format: no tokens, `finish_reason` stop, `abstained` true (pure)."""

from dataclasses import dataclass
from typing import Any

import orjson

from serving.gateway import sse
from serving.gateway.schemas import ChatRequest

TEXT = "I do not know: your documents hold nothing on this."

_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@dataclass(frozen=True)
class Abstention:
    """`request_id` becomes the answer's id, `created` is in seconds since 1970, `name` the requested model."""

    request_id: str
    created: int
    name: str

    def body(self, request: ChatRequest) -> bytes:
        """The answer with as many choices as the request asks for, streamed or whole."""
        head = {"id": f"chatcmpl-{self.request_id}", "created": self.created, "model": self.name}
        return _streamed(head, request) if request.stream else _whole(head, request)


def _message(request: ChatRequest) -> dict[str, Any]:
    """If a format is required, plain text would violate it: clients then expect the field `refusal`."""
    said = {"content": None, "refusal": TEXT} if request.has_form else {"content": TEXT}
    return {"role": "assistant", **said, "annotations": [], "abstained": True}


def _whole(head: dict[str, Any], request: ChatRequest) -> bytes:
    choices = [{"index": index, "message": _message(request), "finish_reason": "stop", "logprobs": None}
               for index in range(request.answers)]  # fmt: skip
    return orjson.dumps({**head, "object": "chat.completion", "choices": choices, "usage": _USAGE})


def _streamed(head: dict[str, Any], request: ChatRequest) -> bytes:
    head = {**head, "object": "chat.completion.chunk"}
    choices = [{"index": index, "delta": _message(request), "finish_reason": "stop", "logprobs": None}
               for index in range(request.answers)]  # fmt: skip
    events = [sse.event({**head, "choices": [choice]}) for choice in choices]
    if request.show_usage:
        events.append(sse.event({**head, "choices": [], "usage": _USAGE}))
    return b"".join((*events, sse.DONE))
