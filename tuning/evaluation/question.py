"""The questions of an evaluation: one JSON object a line."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.reading import parsed
from tuning.row import Fault

MOST_FAULTS = 20  # in a message


class QuestionsInvalidError(Exception):
    """The message has the file and its first faulty lines."""


@dataclass(frozen=True)
class Question:
    """`answers` are all accepted ones; without any, an abstention is right. Questions of one `group` (wordings of one
    fact, one document) count as one when intervals are drawn."""

    line: int
    text: str
    answers: tuple[str, ...]
    group: str
    system: str = ""
    sources: frozenset[str] = frozenset()  # titles of documents with the answer
    schema: Mapping[str, Any] | None = None  # JSON schema of the answer

    @property
    def is_answerable(self) -> bool:
        return bool(self.answers)


def read(path: Path) -> list[Question]:
    """Raises QuestionsInvalidError and OSError."""
    questions: list[Question] = []
    faults: list[str] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                questions.append(of_line(number, line))
            except ValueError as error:
                faults.append(f"line {number}: {error}")
    if faults or not questions:
        shown = "; ".join(faults[:MOST_FAULTS]) or "it is empty"
        raise QuestionsInvalidError(f"{path} has {len(faults)} faults: {shown}")
    return questions


def of_line(number: int, line: bytes) -> Question:
    """Reads `question` and `answer` (a text, a list of accepted texts, or null), or a row of training data. Raises
    ValueError with the fault."""
    value = _object(line)
    if "question" not in value:
        return _of_row(number, line, value)
    text = value["question"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError("question is a text")
    return Question(number, text, _answers(value.get("answer")), _group(value, number), _text(value, "system"),
                    frozenset(_texts(value.get("sources") or [], "sources")), _schema(value))  # fmt: skip


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON in UTF-8: {error}") from error
    if not isinstance(value, dict):
        raise ValueError("it is not an object")
    return value


def _of_row(number: int, line: bytes, value: Mapping[str, Any]) -> Question:
    row = parsed(number, line)
    if isinstance(row, Fault):
        raise ValueError(f"it has no question, and as a row of training data: {row.message}")
    system = next((message.content for message in row.prompt if message.role == "system"), "")
    return Question(number, row.question, (row.answer,), _group(value, number), system)


def _answers(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(_texts(value if isinstance(value, list) else [value], "answer"))


def _texts(values: object, name: str) -> Iterator[str]:
    if not isinstance(values, list):
        raise ValueError(f"{name} is a list of texts")
    for value in values:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{name} has something else than texts: {value!r}")
        yield value


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name) or ""
    if not isinstance(text, str):
        raise ValueError(f"{name} is a text")
    return text


def _group(value: Mapping[str, Any], number: int) -> str:
    return _text(value, "group") or f"line {number}"


def _schema(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    schema = value.get("schema")
    if schema is not None and not isinstance(schema, dict):
        raise ValueError("schema is an object")
    return schema
