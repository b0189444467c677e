"""Allowed requests, field by field (pure).

An allow-list: unnamed fields are refused, so nothing reaches into the engine (chat_template, prompt_embeds, media URLs,
cache_salt, priority…), and every number is bounded (CVE-2026-34756: one huge `n` ended vLLM).
"""

from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from contract.search import Match, MatchName, Relevance
from serving.gateway.errors import InvalidRequest
from serving.gateway.requests.messages import Message
from serving.gateway.requests.refusals import refusal
from serving.gateway.requests.structure import ResponseFormat, SchemaFormat, StructuredOutputs
from serving.gateway.requests.tools import AllowedTools, NamedTool, ToolChoice, Tools, modern
from serving.gateway.requests.value import OneText, Text, Value, one_or_many

# OpenAI's own limits.
MAX_ANSWERS = 128
MAX_MESSAGES = 2048


def _no_truth_value(value: Any) -> Any:
    """In Python, true is also a number."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # pydantic reports ValueError
    return value


Stop = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Number = Annotated[float, BeforeValidator(_no_truth_value), Field(strict=False, allow_inf_nan=False)]
Bias = Annotated[float, Field(ge=-100, le=100, strict=False)]
TokenId = Annotated[int, Field(ge=0, lt=2**31)]


class StreamOptions(Value):
    inert = frozenset({"include_obfuscation"})

    include_usage: bool = False


class RetrievalOptions(Value):
    """`grounded` false turns off the retrieval that an adapter asks for; true asks for retrieval explicitly.
    `match` asks for passages with every word of the message, or with its text. `explain` adds every passage that was
    considered, with its scores, to the answer."""

    kept = frozenset({"knowledge_bases"})

    knowledge_bases: (
        Annotated[
            list[Annotated[str, StringConstraints(max_length=66)]],  # a name, or vs_ and the name
            Field(min_length=1, max_length=16, fail_fast=True),
        ]
        | None
    ) = None
    top_k: Annotated[int, Field(ge=1, le=20)] | None = None
    grounded: bool | None = None
    min_relevance: Relevance | None = None
    match: MatchName = Match.ANY
    explain: bool = False


class _Request(Value):
    """`inert`: OpenAI's fields (https://platform.openai.com/docs/api-reference/chat/create) without effect here; at
    OpenAI, `prediction` makes answers faster, not different."""

    inert = frozenset(
        {"metadata", "prediction", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier",
         "store", "user"}
    )  # fmt: skip

    model: ModelName
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MAX_ANSWERS)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    min_tokens: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1, lt=2**31)] | None = None
    min_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    repetition_penalty: Annotated[Number, Field(gt=0, le=2)] | None = None
    logit_bias: Annotated[
        dict[Annotated[str, StringConstraints(pattern=r"^\d{1,9}$")], Bias], Field(max_length=1024)
    ] | None = None  # fmt: skip
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Annotated[
        Annotated[Stop, Tag("<one>")] | Annotated[list[Stop], Field(max_length=4, fail_fast=True), Tag("<many>")],
        Discriminator(one_or_many),
    ] | None = None  # fmt: skip
    stop_token_ids: Annotated[list[TokenId], Field(max_length=128, fail_fast=True)] | None = None
    retrieval: RetrievalOptions | None = None
    structured_outputs: StructuredOutputs | None = None

    @model_validator(mode="after")
    def _many_answers_differ(self) -> "_Request":
        if self.n and self.n > 1 and self.temperature == 0:
            raise ValueError(f"`n` is {self.n} at `temperature` 0: all answers would be the same; raise temperature")
        return self

    @property
    def show_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def grammars(self) -> list[tuple[str, str, str]]:
        """The grammars to compile for this request: each field with its type and its text."""
        return self.structured_outputs.grammars if self.structured_outputs else []


class ChatRequest(_Request):
    """POST /v1/chat/completions."""

    field: ClassVar[str] = "messages"
    # Whether the caller uses `functions`, and expects a `function_call` in the answer.
    legacy: ClassVar[bool] = False

    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES, fail_fast=True)]
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    modalities: Annotated[list[Literal["text"]], Field(max_length=1)] | None = Field(default=None, exclude=True)
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: Tools | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    chat_template_kwargs: Annotated[
        dict[Annotated[str, StringConstraints(max_length=64)], Any], Field(max_length=16)
    ] | None = None  # fmt: skip

    @field_validator("chat_template_kwargs", mode="before")
    @classmethod
    def _scalars(cls, values: Any) -> Any:
        """Refuses nested values: none may reach a chat template."""
        if isinstance(values, dict):
            wrong = next((name for name, value in values.items() if not isinstance(value, str | int | float)), None)
            if wrong is not None:
                raise ValueError(f"`{wrong}` must be a text, a number, true or false")
        return values

    @model_validator(mode="after")
    def _choice_is_among_the_tools(self) -> "ChatRequest":
        if self.tool_choice in (None, "none", "auto"):
            return self
        names = {tool.function.name for tool in self.tools or ()}
        if not names:
            raise ValueError("`tool_choice` needs `tools` to choose from")
        missing = next((name for name in _chosen(self.tool_choice) if name not in names), None)
        if missing:
            raise ValueError(f"`tool_choice` names `{missing}`, which is not among the tools")
        return self

    @model_validator(mode="after")
    def _one_form(self) -> "ChatRequest":
        if self.structured_outputs and self.response_format:
            raise ValueError("give `response_format` or `structured_outputs`, not both")
        if self.has_form and self.forces_a_call:
            raise ValueError("`response_format` or `structured_outputs` does not go with a forced tool call; drop one")
        if self.top_logprobs and not self.logprobs:
            raise ValueError("`top_logprobs` needs `logprobs` to be true")
        return self

    @property
    def has_form(self) -> bool:
        """True if the answer must follow a schema, a pattern or a grammar."""
        formatted = self.response_format is not None and self.response_format.type != "text"
        return formatted or self.structured_outputs is not None

    @property
    def forces_a_call(self) -> bool:
        return isinstance(self.tool_choice, NamedTool) or self.mode == "required"

    @property
    def mode(self) -> str | None:
        """The mode of `tool_choice`; None if it names a single tool."""
        if isinstance(self.tool_choice, AllowedTools):
            return self.tool_choice.allowed_tools.mode
        return self.tool_choice if isinstance(self.tool_choice, str) else None

    @property
    def lets_the_model_choose(self) -> bool:
        """True if an engine needs a parser to distinguish calls from text."""
        return bool(self.tools) and (self.tool_choice is None or self.mode == "auto")

    @property
    def grammars(self) -> list[tuple[str, str, str]]:
        """Includes a tool's schema only if calls must follow it: if a call is forced, or the tool is strict."""
        followed = (
            (number, tool.function) for number, tool in enumerate(self.tools or ())
            if self.forces_a_call or tool.function.strict
        )  # fmt: skip
        schemas = {f"tools[{number}]": function.parameters for number, function in followed}
        if isinstance(self.response_format, SchemaFormat):
            schemas["response_format"] = self.response_format.json_schema.json_schema
        return [*super().grammars, *((field, "json", _text(schema)) for field, schema in schemas.items() if schema)]

    @property
    def media(self) -> frozenset[str]:
        return frozenset().union(*(message.media for message in self.messages))

    @property
    def continues_a_call(self) -> bool:
        """True if the model is to answer from a tool's result."""
        return self.messages[-1].role == "tool"

    @property
    def question(self) -> str:
        """The user's last message: documents are searched for it."""
        return next(reversed(self.questions), "")

    @property
    def has_answer(self) -> bool:
        """True if the conversation has an answer already."""
        return any(message.role == "assistant" for message in self.messages)

    @property
    def last_answer(self) -> str:
        """Empty without one."""
        return next((message.text for message in reversed(self.messages) if message.role == "assistant"), "")

    @property
    def questions(self) -> list[str]:
        """The user's messages."""
        return [message.text for message in self.messages if message.role == "user"]

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


class LegacyChatRequest(ChatRequest):
    """With `functions` in place of `tools`."""

    legacy: ClassVar[bool] = True


class CompletionRequest(_Request):
    """POST /v1/completions."""

    field: ClassVar[str] = "prompt"

    prompt: Annotated[
        OneText | Annotated[list[Text], Field(min_length=1, max_length=MAX_ANSWERS, fail_fast=True), Tag("<many>")],
        Discriminator(one_or_many),
    ]
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    echo: bool | None = None
    best_of: Literal[1] | None = Field(default=None, exclude=True)

    @model_validator(mode="after")
    def _bounded(self) -> "CompletionRequest":
        if self.answers > MAX_ANSWERS:
            raise ValueError(f"`n` times the prompts is {self.answers}; at most {MAX_ANSWERS} answers to a request")
        return self

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
    """Raises InvalidRequest with the first wrong field."""
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_body")
    if kind is ChatRequest and body.get("functions"):
        if body.get("tools"):
            raise InvalidRequest("Give `tools` or `functions`, not both.", code="invalid_value", param="functions")
        kind = LegacyChatRequest
    elif kind is ChatRequest and body.get("function_call"):
        raise InvalidRequest("`function_call` needs `functions`; with `tools` it is called `tool_choice`.",
                             code="invalid_value", param="function_call")  # fmt: skip
    try:
        return kind.model_validate(modern(body) if issubclass(kind, ChatRequest) else body)
    except ValidationError as error:
        raise refusal(error) from error


def _chosen(choice: Any) -> list[str]:
    if isinstance(choice, NamedTool):
        return [choice.function.name]
    if isinstance(choice, AllowedTools):
        return [tool.function.name for tool in choice.allowed_tools.tools]
    return []


_OURS = {"retrieval", "stream_options"}
# Without a schema, the arguments of a forced call could be any text.
_NO_PARAMETERS = {"parameters": {"type": "object", "properties": {}, "additionalProperties": False}}


def engine_body(request: AnyRequest, *, engine_name: str, cache_salt: str) -> dict[str, Any]:
    """The body for the engine: the validated fields, the engine name, and the tenant as the cache's salt.

    The salt separates the tenants' prefix caches: a shared cache's timing would reveal prompts (PROMPTPEEK, NDSS 2025).
    """
    body = request.model_dump(exclude_none=True, by_alias=True, exclude=_OURS)
    body |= {"model": engine_name, "cache_salt": cache_salt}
    if isinstance(request, ChatRequest) and request.tools:
        body |= _tools(request, body["tools"])
    if request.stream:
        body["stream_options"] = {"include_usage": True}
    return body


def _tools(request: ChatRequest, tools: list[dict[str, Any]]) -> dict[str, Any]:
    """Engines do not know `allowed_tools`, so they get only those tools. A forced call follows its schema."""
    fields: dict[str, Any] = {"tools": tools}
    if isinstance(request.tool_choice, AllowedTools):
        names = _chosen(request.tool_choice)
        fields = {"tools": [tool for tool in tools if tool["function"]["name"] in names], "tool_choice": request.mode}
    if request.forces_a_call:
        fields["tools"] = [tool | {"function": _NO_PARAMETERS | tool["function"] | {"strict": True}}
                          for tool in fields["tools"]]  # fmt: skip
    return fields


def _text(schema: dict[str, Any]) -> str:
    return orjson.dumps(schema).decode()
