"""The required form of an answer: JSON, a schema, a pattern, a choice, a grammar (pure)."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from serving.gateway.requests import json_schema
from serving.gateway.requests.value import Value, by_field


class PlainFormat(Value):
    type: Literal["text", "json_object"]


class SchemaFormatBody(Value):
    """`strict` is taken as true: an answer always follows its schema."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    description: Annotated[str, StringConstraints(max_length=16_384)] | None = None
    json_schema: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None

    @field_validator("json_schema")
    @classmethod
    def _bounded(cls, schema: dict[str, Any]) -> dict[str, Any]:
        json_schema.check(schema)
        return schema


class SchemaFormat(Value):
    type: Literal["json_schema"]
    json_schema: SchemaFormatBody


ResponseFormat = Annotated[
    Annotated[PlainFormat, Tag("<text>")] | Annotated[PlainFormat, Tag("<json_object>")]
    | Annotated[SchemaFormat, Tag("<json_schema>")],
    Discriminator(by_field("type")),
]  # fmt: skip


class StructuredOutputs(Value):
    """vLLM's own field, with exactly one of these. Its other fields reach into the engine, and are refused."""

    schema_: dict[str, Any] | None = Field(default=None, alias="json")
    regex: Annotated[str, StringConstraints(min_length=1, max_length=json_schema.MAX_PATTERN)] | None = None
    choice: (
        Annotated[
            list[Annotated[str, StringConstraints(min_length=1, max_length=1024)]],
            Field(min_length=1, max_length=json_schema.MAX_ENUM, fail_fast=True),
        ]
        | None
    ) = None
    grammar: Annotated[str, StringConstraints(min_length=1, max_length=16_384)] | None = None
    json_object: Literal[True] | None = None

    @field_validator("schema_")
    @classmethod
    def _bounded(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        json_schema.check(schema)
        return schema

    @field_validator("regex")
    @classmethod
    def _small(cls, regex: str | None) -> str | None:
        if regex is not None:
            json_schema.check_pattern(regex)
        return regex

    @model_validator(mode="after")
    def _one(self) -> "StructuredOutputs":
        if len(self.model_fields_set) != 1:
            raise ValueError("give one of json, regex, choice, grammar and json_object")
        return self

    @property
    def grammars(self) -> list[tuple[str, str, str]]:
        """The compiler's input: each field with its type and its text."""
        if self.schema_ is not None:
            return [("structured_outputs.json", "json", orjson.dumps(self.schema_).decode())]
        texts = {"regex": self.regex, "grammar": self.grammar}
        return [(f"structured_outputs.{name}", name, text) for name, text in texts.items() if text is not None]
