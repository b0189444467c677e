from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.requests.json_schema import MAX_DEPTH, SchemaTooLarge, check


def _nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        found = {"items": found}
    return found


@pytest.mark.parametrize(
    "schema",
    [
        _nested(MAX_DEPTH + 1),
        {"enum": list(range(1001))},
        {"pattern": "a" * 513},
        {"patternProperties": {"a" * 513: {}}},
        {"patternProperties": {"(a{1,40}){1,40}": {}}},
        {"maxLength": 10_001},
        {"minItems": -1},
        {"properties": {f"p{n}": {"maxLength": 1000} for n in range(21)}},
        {"properties": {f"p{n}": {} for n in range(200)}, "minProperties": 5, "maxProperties": 100},
        {"$ref": "https://example.com/schema.json"},
        {"description": "x" * 120_001},
        {"enum": [[0] * 1000 for _ in range(30)]},
    ],
    ids=str,
)
def test_what_an_engine_would_take_long_for_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaTooLarge):
        check(schema)


def test_what_clients_make_of_their_classes_passes() -> None:
    check({
        "$defs": {"Line": {"type": "object", "properties": {"text": {"type": "string", "maxLength": 200}}}},
        "type": "object",
        "properties": {"lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "maxItems": 20}},
        "required": ["lines"], "additionalProperties": False,
    })  # fmt: skip


NAMES = st.sampled_from(["enum", "maxLength", "$ref", "properties", "minProperties", "pattern", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@given(JSON)
def test_any_json_is_judged_and_nothing_worse(schema: Any) -> None:
    with suppress(SchemaTooLarge):
        check(schema)
