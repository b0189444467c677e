"""Which requests are let through to an engine, field by field (pure).

An allow-list: what is not named here is refused, so that nothing reaches into the engine (chat_template,
prompt_embeds, media, cache_salt, priority…), and every number is bounded (CVE-2026-34756: one huge `n` ended vLLM).
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from serving.gateway.errors import InvalidRequest

MAX_TEXT = 400_000
# What pydantic adds to a place for the branch of a union that it tried is no field.
_FIELD = re.compile(r"[a-z_]+")

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Stop = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TextPart(_Strict):
    type: Literal["text"]
    text: Text


class Message(_Strict):
    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Annotated[list[TextPart], Field(max_length=64)]
    name: Annotated[str, StringConstraints(max_length=64)] | None = None

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)


class StreamOptions(_Strict):
    include_usage: bool = False


class RetrievalOptions(_Strict):
    """`grounded` false turns retrieval off where the adapter would ask for it."""

    knowledge_bases: Annotated[list[Annotated[str, StringConstraints(max_length=63)]], Field(max_length=16)] | None = (
        None
    )
    top_k: Annotated[int, Field(ge=1, le=20)] | None = None
    grounded: bool = True


class _Sampling(_Strict):
    model: ModelName
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=8)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2, strict=False)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1, strict=False)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2, strict=False)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2, strict=False)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    user: Annotated[str, StringConstraints(max_length=256)] | None = None

    @field_validator("stream", mode="before")
    @classmethod
    def _null_is_false(cls, value: object) -> object:
        return False if value is None else value


class ResponseFormat(_Strict):
    type: Literal["text", "json_object"]


class ChatRequest(_Sampling):
    """POST /v1/chat/completions."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=256)]
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    retrieval: RetrievalOptions | None = None

    @property
    def question(self) -> str:
        """The last thing that the user said: what documents are searched for."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def text_length(self) -> int:
        return sum(len(message.text) for message in self.messages)

    @property
    def answers(self) -> int:
        return self.n or 1

    @property
    def completion_limit(self) -> int | None:
        """Tokens of one answer."""
        return self.max_completion_tokens or self.max_tokens


class CompletionRequest(_Sampling):
    """POST /v1/completions."""

    prompt: Text | Annotated[list[Text], Field(min_length=1, max_length=16)]
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    echo: bool | None = None

    @property
    def text_length(self) -> int:
        return len(self.prompt) if isinstance(self.prompt, str) else sum(map(len, self.prompt))

    @property
    def answers(self) -> int:
        return (self.n or 1) * (1 if isinstance(self.prompt, str) else len(self.prompt))

    @property
    def completion_limit(self) -> int | None:
        """Tokens of one answer."""
        return self.max_tokens


AnyRequest = ChatRequest | CompletionRequest


def parse(body: Any, kind: type[AnyRequest]) -> AnyRequest:
    """Raises InvalidRequest with the first field that is wrong."""
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_body")
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        param = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or _FIELD.fullmatch(part))
        raise InvalidRequest(f"{param or 'body'}: {first['msg']}.", code="invalid_value", param=param) from error


def engine_body(request: AnyRequest, *, engine_name: str, cache_salt: str) -> dict[str, Any]:
    """What the engine is sent: what was validated, under the engine's name, salted with the tenant.

    The salt keeps one tenant's prefix cache from answering, by its timing, for another's (PROMPTPEEK, NDSS 2025).
    """
    body = request.model_dump(exclude_none=True, exclude={"retrieval", "user", "stream_options"})
    body |= {"model": engine_name, "cache_salt": cache_salt}
    if request.stream:
        body["stream_options"] = {"include_usage": True}
    return body
