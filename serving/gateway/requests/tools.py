"""Tools for a model, and `functions`, their older name (pure)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator

from serving.gateway.requests import json_schema
from serving.gateway.requests.value import Value, by_field

MAX_TOOLS = 128

FunctionName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
JsonSchema = dict[str, Any]


class Function(Value):
    """`strict`: whether a call must follow the schema. A forced call always does."""

    name: FunctionName
    description: Annotated[str, StringConstraints(max_length=16_384)] | None = None
    parameters: JsonSchema | None = None
    strict: bool | None = None

    @field_validator("parameters")
    @classmethod
    def _bounded(cls, schema: JsonSchema | None) -> JsonSchema | None:
        json_schema.check(schema)
        return schema


class Tool(Value):
    type: Literal["function"]
    function: Function


Tools = Annotated[list[Tool], Field(min_length=1, max_length=MAX_TOOLS, fail_fast=True)]


class FunctionReference(Value):
    name: FunctionName


class NamedTool(Value):
    type: Literal["function"]
    function: FunctionReference


class AllowedToolsBody(Value):
    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedTool], Field(min_length=1, max_length=MAX_TOOLS, fail_fast=True)]


class AllowedTools(Value):
    """Some of the request's tools: the model does not see the others."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedToolsBody


def _choice(value: Any) -> str | None:
    return "<mode>" if isinstance(value, str) else by_field("type")(value)


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<mode>")] | Annotated[NamedTool, Tag("<function>")]
    | Annotated[AllowedTools, Tag("<allowed_tools>")],
    Discriminator(_choice),
]  # fmt: skip


def modern(body: Mapping[str, Any]) -> dict[str, Any]:
    """Converts `functions`, `function_call` and messages of the role `function` to their newer names."""
    converted = dict(body)
    if isinstance(functions := converted.pop("functions", None), list):
        converted["tools"] = [{"type": "function", "function": function} for function in functions]
    if (choice := converted.pop("function_call", None)) is not None:
        converted["tool_choice"] = choice if isinstance(choice, str) else {"type": "function", "function": choice}
    if isinstance(messages := converted.get("messages"), list):
        converted["messages"] = [_modern_message(item, number) for number, item in enumerate(messages)]
    return converted


def _modern_message(message: Any, number: int) -> Any:
    """The older form has no call ids. A result follows its call, so the id is made from the call's position."""
    if not isinstance(message, dict):
        return message
    if message.get("role") == "function":
        rest = {key: value for key, value in message.items() if key != "role"}
        return {**rest, "role": "tool", "tool_call_id": f"call_{number - 1}"}
    if isinstance(call := message.get("function_call"), dict):
        rest = {key: value for key, value in message.items() if key != "function_call"}
        return {**rest, "tool_calls": [{"id": f"call_{number}", "type": "function", "function": call}]}
    return message
