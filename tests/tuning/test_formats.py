"""Each format becomes the same row; everything else is refused with a stable code."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.formats import row_of
from tuning.row import Fault, Message, Row

SYSTEM, USER, ANSWER = Message("system", "Be brief."), Message("user", "How long is the window?"), "30 days"
ASSISTANT = {"role": "assistant", "content": ANSWER}


@pytest.mark.parametrize("value", [
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": USER.content}, ASSISTANT]},
    {"messages": [{"role": "developer", "content": "Be brief."},
                  {"role": "user", "content": [{"type": "text", "text": USER.content}]}, ASSISTANT]},
    {"instruction": USER.content, "input": "", "output": ANSWER, "system": "Be brief."},
    {"conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": USER.content},
                       {"from": "gpt", "value": ANSWER}]},
    {"prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": USER.content}],
     "completion": [ASSISTANT]},
])  # fmt: skip
def test_every_format_is_the_same_row(value: object) -> None:
    assert row_of(7, value) == Row(7, (SYSTEM, USER), ANSWER)


def test_a_prompt_and_a_completion_keep_their_spaces() -> None:
    assert row_of(1, {"prompt": "Q", "completion": " A\n"}) == Row(1, (Message("user", "Q"),), " A\n")


def test_of_a_conversation_the_last_answer_is_learned() -> None:
    turns = [USER.content, "60 days", "And for Basic?", ANSWER]
    roles = ["user", "assistant"] * 2
    row = row_of(1, {"messages": [{"role": r, "content": t} for r, t in zip(roles, turns, strict=True)]})
    assert isinstance(row, Row)
    assert (row.answer, len(row.prompt), row.question) == (ANSWER, 3, f"{USER.content}\nAnd for Basic?")
    alpaca = {"instruction": "And for Basic?", "output": ANSWER, "history": [[USER.content, "60 days"]]}
    assert row_of(1, alpaca) == row


def _chat(*roles: str) -> object:
    return {"messages": [{"role": role, "content": "x"} for role in roles]}


@pytest.mark.parametrize(("value", "code"), [
    (["a", "b"], "data_type"), ("a text", "data_type"), (None, "data_type"),
    ({}, "unknown_format"), ({"question": "x"}, "unknown_format"), ({"text": "x"}, "text_only"),
    ({"chosen": "x", "rejected": "y"}, "preference_data"), ({"prompt": "x", "messages": []}, "two_formats"),
    ({"messages": "x"}, "missing_messages_list"), ({"messages": []}, "missing_messages_list"),
    ({"messages": [{"content": "x"}]}, "message_missing_key"), ({"messages": ["x"]}, "message_missing_key"),
    (_chat("user", "robot"), "unrecognized_role"), (_chat("user", "tool", "assistant"), "tool_calls"),
    ({"conversations": [{"from": "cat", "value": "x"}]}, "unrecognized_role"),
    ({"messages": [{"role": "user", "content": ""}]}, "missing_content"),
    ({"messages": [{"role": "user", "content": " \n"}]}, "missing_content"),
    ({"prompt": "x"}, "missing_content"), ({"prompt": 3, "completion": "x"}, "non_string_content"),
    (_chat("user"), "example_missing_assistant_message"), (_chat("user", "assistant", "user"), "assistant_not_last"),
    (_chat("assistant"), "role_order"), (_chat("user", "user", "assistant"), "role_order"),
    (_chat("user", "system", "assistant"), "role_order"), ({"instruction": "x"}, "missing_content"),
    ({"instruction": "x", "output": "y", "history": [["a"]]}, "data_type"),
])  # fmt: skip
def test_what_cannot_be_learned_from_has_a_code(value: object, code: str) -> None:
    fault = row_of(3, value)
    assert isinstance(fault, Fault)
    assert (fault.line, fault.code) == (3, code)


_WHOLE: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]},
    {"prompt": "x", "completion": "y"},
    {"instruction": "x", "input": "more", "output": "y", "system": "s", "history": [["a", "b"]]},
    {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}], "system": "s"},
]
_KINDS: list[object] = [
    None,
    True,
    0,
    7,
    1.5,
    "",
    "z",
    [],
    [1],
    [[]],
    [["a", "b", "c"]],
    {},
    {"text": "z"},
    [{"text": 1}],
]


def _changed(value: Any) -> Iterator[Any]:
    """The value with one part of it, at any depth, replaced by each kind of JSON."""
    yield from _KINDS
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        for other in _changed(part):
            copy = value.copy()
            copy[key] = other
            yield copy


@pytest.mark.parametrize("whole", _WHOLE)
def test_a_row_with_one_part_of_another_kind_is_a_row_or_a_fault(whole: dict[str, Any]) -> None:
    assert isinstance(row_of(1, whole), Row)
    assert {type(row_of(1, changed)) for changed in _changed(whole)} == {Row, Fault}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["messages", "role", "content", "prompt", "completion", "conversations", "from", "value",
                         "instruction", "output", "history", "system"]) | st.text(max_size=4),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(json_values)
def test_any_json_is_a_row_or_a_fault(value: object) -> None:
    found = row_of(1, json.loads(json.dumps(value)))
    assert isinstance(found, Row | Fault)
    if isinstance(found, Row):
        assert found.answer.strip()
        assert found.prompt[-1].role == "user"
