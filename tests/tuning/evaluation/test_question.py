"""Questions with answers, and rows of training data, are read; each fault has its line."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.evaluation.question import Question, QuestionsInvalidError, of_line, read
from tuning.row import Message


def _line(**value: object) -> bytes:
    return json.dumps(value).encode()


def test_an_answer_is_one_or_several_texts_or_none() -> None:
    assert of_line(3, _line(question="How long?", answer="30 days")) == Question(3, "How long?", ("30 days",), "line 3")
    assert of_line(1, _line(question="q", answer=["30 days", "a month"])).answers == ("30 days", "a month")
    assert not of_line(1, _line(question="q", answer=None)).is_answerable
    with pytest.raises(ValueError, match="the answer is null"):
        of_line(1, _line(question="q"))
    assert of_line(1, _line(question="q", sources=["a.md"])).is_answerable


def test_what_else_it_may_have() -> None:
    asked = of_line(
        1, _line(question="q", answer="a", group="refunds", system="s", sources=["a.md"], schema={"type": "object"})
    )
    assert (asked.group, asked.system, asked.sources, asked.schema) == (
        "refunds",
        "s",
        frozenset({"a.md"}),
        {"type": "object"},
    )


def test_a_row_of_training_data_is_a_question() -> None:
    row = {"messages": [{"role": role, "content": role} for role in ("system", "user", "assistant")]}
    assert of_line(2, json.dumps(row).encode()) == Question(2, "user", ("assistant",), "line 2", system="system")


def test_earlier_turns_of_a_conversation_are_asked_too() -> None:
    roles = ("user", "assistant", "user", "assistant")
    row = {"messages": [{"role": role, "content": f"{role} {n}"} for n, role in enumerate(roles)]}
    asked = of_line(1, json.dumps(row).encode())
    assert (asked.text, asked.answers) == ("user 2", ("assistant 3",))
    assert asked.history == (Message("user", "user 0"), Message("assistant", "assistant 1"))


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"\xff", _line(question=""), _line(question=1), _line(question="q", answer=3),
             _line(question="q", answer=[""]), _line(question="q", group=1), _line(question="q", schema=[]),
             _line(question="q", sources="a.md"), _line(text="q"), _line(question="q", answer="."),
             _line(question="q", answer="a", schema={"type": "nope"}),
             _line(question="q", answer="a", schema={"pattern": "("}),
             _line(question="q", answer="a", schema={"items": {"$ref": "https://example.org/x"}}),
             _line(question="q", answer="a", schema={"$ref": "#/$defs/a"})],
)  # fmt: skip
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        of_line(1, line)


@given(
    st.dictionaries(
        st.sampled_from(["question", "answer", "group", "sources", "schema", "messages"]),
        st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=1),
    )
)
def test_any_object_is_a_question_or_refused(value: dict[str, object]) -> None:
    with contextlib.suppress(ValueError):
        assert of_line(1, json.dumps(value).encode()).text.strip()


def test_a_file_names_its_faulty_lines(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes(_line(question="q", answer="a") + b"\n\n{\n" + _line(question="") + b"\n")
    with pytest.raises(QuestionsInvalidError, match=r"2 faults: line 3: .*; line 4: question is a text"):
        read(file, "exact")
    file.write_bytes(b"\n")
    with pytest.raises(QuestionsInvalidError, match="it is empty"):
        read(file, "exact")


@pytest.mark.parametrize(("metric", "value"), [
    ("citation", {"answer": "a"}), ("exact", {"sources": ["a.md"]}), ("f1", {"schema": {"type": "object"}}),
    ("json", {"answer": "no json"}), ("json", {"sources": ["a.md"]}),
])  # fmt: skip
def test_a_metric_says_what_it_needs(tmp_path: Path, metric: str, value: dict[str, object]) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes(_line(question="q", **value))
    with pytest.raises(QuestionsInvalidError, match=r"1 faults: line 1: the (metric|accepted answer)"):
        read(file, metric)
    file.write_bytes(_line(question="q", answer=None))
    assert not read(file, metric)[0].is_answerable
