"""Bounds of a JSON schema for an engine (pure). `grammars` then compiles the accepted schemas.

Where OpenAI has a limit (https://platform.openai.com/docs/guides/structured-outputs), it is used; the other limits are
chosen to keep grammars small.
"""

import json
from collections.abc import Iterator
from typing import Any

from serving.gateway.requests.pattern import size

MAX_DEPTH = 32  # nested objects and lists; one level of a schema has two or three of them
MAX_ITEMS = 20_000
MAX_TEXT = 120_000
MAX_ENUM = 1000
MAX_PATTERN = 512
# Engines unroll counted repetitions. xgrammar takes 2 s for 20 texts of 1,000 characters, and 39 s for 200 optional
# properties with minProperties 5 and maxProperties 100.
MAX_COUNT = 10_000
MAX_COUNTED = 20_000
# For a pattern of size 4,000 xgrammar takes 1.2 s, and generation far longer.
MAX_PATTERN_SIZE = 1000
_PATTERN_WEIGHT = 4
MAX_PROPERTY_CHOICES = 1000
_PLAIN_VALUES = frozenset({"default", "const", "example", "examples"})
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")


class SchemaTooLarge(ValueError):
    """The schema exceeds the bound that the message names, or has a `$ref` to outside of itself."""


def check(schema: Any) -> None:
    """Raises SchemaTooLarge. A schema is a JSON object or a boolean; keywords without a bound here are ignored."""
    text = counted = 0
    for number, (value, depth) in enumerate(_walk(schema)):
        if number >= MAX_ITEMS:
            raise SchemaTooLarge(f"the schema has more than {MAX_ITEMS} values")
        if depth > MAX_DEPTH:
            raise SchemaTooLarge(f"the schema is nested more than {MAX_DEPTH} deep")
        if isinstance(value, str):
            text += len(value)
        elif isinstance(value, dict):
            text += sum(map(len, value))
            counted += _check_object(value)
        if counted > MAX_COUNTED:
            raise SchemaTooLarge(f"lengths, counts and patterns add up to more than {MAX_COUNTED}")
        if text > MAX_TEXT:
            raise SchemaTooLarge(f"the schema's names and texts are longer than {MAX_TEXT} characters together")


def _walk(root: Any) -> Iterator[tuple[Any, int]]:
    """Yields every value with its depth, without recursion, because callers choose the depth."""
    waiting = [(root, 1)]
    while waiting:
        value, depth = waiting.pop()
        yield value, depth
        inner = _schemas(value) if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting.extend((item, depth + 1) for item in inner)


def _schemas(fields: dict[str, Any]) -> Iterator[Any]:
    """The values that may contain schemas. A default, a constant or an example is never a schema: it counts as its
    JSON text."""
    return (json.dumps(item) if name in _PLAIN_VALUES else item for name, item in fields.items())


def _check_object(fields: dict[str, Any]) -> int:
    """The object's share of the sum bounded by MAX_COUNTED. Raises SchemaTooLarge."""
    enum, pattern, reference = fields.get("enum"), fields.get("pattern"), fields.get("$ref")
    if isinstance(enum, list) and len(enum) > MAX_ENUM:
        raise SchemaTooLarge(f"an enum has more than {MAX_ENUM} values")
    if isinstance(reference, str) and not reference.startswith("#"):
        raise SchemaTooLarge("a $ref points outside of the schema; nothing is fetched")
    counts = {name: fields[name] for name in _COUNTS if isinstance(fields.get(name), int | float)}
    over = next((name for name, value in counts.items() if not 0 <= value <= MAX_COUNT), None)
    if over:
        raise SchemaTooLarge(f"{over} is not between 0 and {MAX_COUNT}")
    named = fields.get("properties")
    chosen = max(counts.get("minProperties", 0), counts.get("maxProperties", 0))
    if isinstance(named, dict) and len(named) * chosen > MAX_PROPERTY_CHOICES:
        raise SchemaTooLarge(f"minProperties or maxProperties times the property count is over {MAX_PROPERTY_CHOICES}")
    by_pattern = fields.get("patternProperties")
    patterns = [*(by_pattern if isinstance(by_pattern, dict) else ()), *([pattern] if isinstance(pattern, str) else ())]
    return int(sum(counts.values())) + sum(map(check_pattern, patterns))


def check_pattern(pattern: str) -> int:
    """The pattern's share of the sum bounded by MAX_COUNTED. Raises SchemaTooLarge."""
    if len(pattern) > MAX_PATTERN:
        raise SchemaTooLarge(f"a pattern is longer than {MAX_PATTERN} characters")
    if (written_out := size(pattern)) > MAX_PATTERN_SIZE:
        raise SchemaTooLarge(
            f"a pattern comes to {written_out} characters with its counts written out; at most {MAX_PATTERN_SIZE}"
        )
    return written_out * _PATTERN_WEIGHT
