"""JSON schemas of answers, checked before anything is asked (pure)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema


def checked(schema: object) -> Mapping[str, Any] | None:
    """The schema, None for none. Raises ValueError for an inapplicable one."""
    if schema is None:
        return None
    if not isinstance(schema, dict):
        raise ValueError("schema is an object")
    try:
        jsonschema.validators.validator_for(schema).check_schema(schema)
    except (jsonschema.SchemaError, RecursionError) as error:
        raise ValueError(f"schema is no JSON schema: {getattr(error, 'message', 'it is nested too deep')}") from error
    for name, value in _entries(schema):
        if name == "$ref":
            _require_inside(schema, value)
        elif name == "pattern":
            _require_pattern(value)
    return schema


def _entries(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _entries(part)


def _require_inside(schema: Mapping[str, Any], reference: object) -> None:
    """References lead to a part of the schema itself; nothing is fetched."""
    place: Any = schema
    for part in str(reference).removeprefix("#").split("/")[1:]:
        place = place.get(part) if isinstance(place, dict) else None
    if not str(reference).startswith("#") or place is None:
        raise ValueError(f"the reference {reference!r} leads to no part of the schema")


def _require_pattern(pattern: object) -> None:
    try:
        re.compile(str(pattern))
    except re.error as error:
        raise ValueError(f"the pattern {pattern!r} is no regular expression: {error}") from error
