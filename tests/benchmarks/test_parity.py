from typing import Any

import orjson
import pytest

from benchmarks.parity import assembled, differences, shapes


def _stream(*deltas: dict[str, Any], end: str = "[DONE]") -> bytes:
    chunks = [{"id": "x", "object": "chunk", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    return (
        "".join(f"data: {orjson.dumps(chunk).decode()}\n\n" for chunk in chunks).encode() + f"data: {end}\n\n".encode()
    )


def test_there_are_two_hundred_shapes() -> None:
    assert len({shape.name for shape in shapes()}) >= 200


def test_how_a_stream_was_cut_makes_no_difference() -> None:
    assert assembled(_stream({"content": "he"}, {"content": "llo"})) == assembled(_stream({"content": "hello"}))


def test_calls_are_joined_by_their_index() -> None:
    parts = [{"tool_calls": [{"index": 0, "function": {"arguments": text}}]} for text in ('{"a"', ":1}")]
    assert assembled(_stream(*parts))["choices"]["0"]["delta"]["tool_calls"] == [
        {"index": 0, "function": {"arguments": '{"a":1}'}}
    ]


def test_a_stream_that_broke_off_is_not_compared() -> None:
    with pytest.raises(ValueError, match="ended with"):
        assembled(_stream({"content": "he"}, end='{"error":{}}'))


@pytest.mark.parametrize(
    "theirs",
    [{"a": 1, "b": [1.0]}, {"a": 1}, {"a": 2, "b": [1.5]}, {"a": 1, "b": []}, {"a": 1, "b": [1.5], "c": None}],
)
def test_a_field_that_is_lost_added_or_changed_is_a_difference(theirs: Any) -> None:
    assert differences({"a": 1, "b": [1.5]}, theirs)


def test_noise_is_none() -> None:
    assert differences({"a": [1.50]}, {"a": [1.55]}) == []
