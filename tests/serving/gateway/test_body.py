import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.body import MAX_VALUES, values

SCALARS = st.none() | st.booleans() | st.integers() | st.text(alphabet='ab\\",[{ \n')
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=30)


def _count(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_count, inner))


@given(JSON)
def test_no_text_hides_a_value_and_none_counts_as_many(value: Any) -> None:
    found = values(json.dumps([value, "," * MAX_VALUES]).encode())
    assert _count(value) <= found <= 2 * _count(value) + 3


@pytest.mark.parametrize(
    "raw",
    [b"[" * 1_000_000, b"[0," * 300_000, b'{"a":{}},' * 100_000, b'"",' * 300_000, b'"\\",[",' * 100_000],
)
def test_what_holds_many_values_is_seen_to(raw: bytes) -> None:
    assert values(raw) > MAX_VALUES


def test_a_long_text_is_one_value() -> None:
    text = 'She said: "no, [not] {this}", and left. ' * 20_000
    assert values(json.dumps({"messages": [{"role": "user", "content": text}]}).encode()) < 10
