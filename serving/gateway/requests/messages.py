"""Messages of a chat, by role (pure)."""

import json
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from serving.gateway.requests.value import OneText, Text, Value, by_field, one_or_many

MAX_PARTS = 256
MAX_MEDIA = 20_000_000

Name = Annotated[str, StringConstraints(max_length=64)]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=256)]
DataUrl = Annotated[str, StringConstraints(max_length=MAX_MEDIA)]


class _Sent(Value):
    drops_unknown = True


class TextPart(_Sent):
    type: Literal["text"]
    text: Text


class RefusalPart(_Sent):
    """A model's refusal, sent back as part of a conversation."""

    type: Literal["refusal"]
    refusal: Text


class ImageUrl(_Sent):
    url: DataUrl
    detail: Literal["auto", "low", "high"] | None = None

    @field_validator("url")
    @classmethod
    def _carries_its_data(cls, url: str) -> str:
        if not url.startswith("data:image/"):
            raise ValueError("images must be data URLs (data:image/png;base64,…); nothing is fetched")
        return url


class ImagePart(_Sent):
    type: Literal["image_url"]
    image_url: ImageUrl


class InputAudio(_Sent):
    """`data` is base64."""

    data: DataUrl
    format: Literal["wav", "mp3"]


class AudioPart(_Sent):
    type: Literal["input_audio"]
    input_audio: InputAudio


_Part = Annotated[
    Annotated[TextPart, Tag("<text>")] | Annotated[ImagePart, Tag("<image_url>")]
    | Annotated[AudioPart, Tag("<input_audio>")],
    Discriminator(by_field("type")),
]  # fmt: skip
_SaidPart = Annotated[
    Annotated[TextPart, Tag("<text>")] | Annotated[RefusalPart, Tag("<refusal>")], Discriminator(by_field("type"))
]
# The check stops at the first wrong part, so a long list of wrong parts costs no time.
_SEVERAL = Field(min_length=1, max_length=MAX_PARTS, fail_fast=True)
TextContent = Annotated[OneText | Annotated[list[TextPart], _SEVERAL, Tag("<many>")], Discriminator(one_or_many)]
UserContent = Annotated[OneText | Annotated[list[_Part], _SEVERAL, Tag("<many>")], Discriminator(one_or_many)]
SaidContent = Annotated[OneText | Annotated[list[_SaidPart], _SEVERAL, Tag("<many>")], Discriminator(one_or_many)]


class FunctionCall(_Sent):
    name: Name
    arguments: Text = "{}"

    @field_validator("arguments")
    @classmethod
    def _as_an_object(cls, text: str) -> str:
        """Chat templates need an object: other or cut-off arguments are passed as {"unparsed": arguments}."""
        try:
            is_object = isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            is_object = False
        return text if is_object else json.dumps({"unparsed": text})


class ToolCall(_Sent):
    """`index` is left over from a stream that a client assembled; it is not passed on."""

    id: CallId
    type: Literal["function"] = "function"
    function: FunctionCall
    index: int | None = Field(default=None, exclude=True)


class _Message(_Sent):
    """`inert` are fields of answers: the gateway's, and those that clients add (LiteLLM, OpenRouter)."""

    inert = frozenset(
        {"abstained", "annotations", "created", "id", "parsed", "provider_specific_fields", "reasoning_details",
         "thinking_blocks"}
    )  # fmt: skip

    name: Name | None = None

    @property
    def text(self) -> str:
        """The readable text, without images and audio."""
        content: Any = getattr(self, "content", None)
        if content is None or isinstance(content, str):
            return content or ""
        return "\n".join(part.text for part in content if isinstance(part, TextPart))

    @property
    def media(self) -> frozenset[str]:
        """The message's kinds of media: image, audio."""
        content: Any = getattr(self, "content", None)
        parts = content if isinstance(content, list) else ()
        kinds = {"image_url": "image", "input_audio": "audio"}
        return frozenset(kinds[part.type] for part in parts if part.type in kinds)


class SystemMessage(_Message):
    role: Literal["system", "developer"]
    content: TextContent


class UserMessage(_Message):
    role: Literal["user"]
    content: UserContent


class AssistantMessage(_Message):
    """An earlier answer, ours or another model's. Its refusal becomes the content if it has no content and no calls."""

    kept = frozenset({"content"})

    role: Literal["assistant"]
    content: SaidContent | None = None
    refusal: Text | None = Field(default=None, exclude=True)
    reasoning: Text | None = None
    reasoning_content: Text | None = Field(default=None, exclude=True)
    tool_calls: Annotated[list[ToolCall], Field(max_length=128, fail_fast=True)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_text(cls, fields: Any) -> Any:
        if not isinstance(fields, dict):
            return fields
        message = dict(fields)
        if message.get("content") is None and not message.get("tool_calls"):
            message["content"] = message.get("refusal") or ""  # an answer may have ended before its first word
        if "reasoning_content" in message:
            message.setdefault("reasoning", message["reasoning_content"])
        return message


class ToolMessage(_Message):
    role: Literal["tool"]
    content: TextContent
    tool_call_id: CallId


Message = Annotated[
    Annotated[SystemMessage, Tag("<system>")] | Annotated[SystemMessage, Tag("<developer>")]
    | Annotated[UserMessage, Tag("<user>")] | Annotated[AssistantMessage, Tag("<assistant>")]
    | Annotated[ToolMessage, Tag("<tool>")],
    Discriminator(by_field("role")),
]  # fmt: skip
