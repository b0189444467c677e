"""The questions of an evaluation: one JSON object a line."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.evaluation import schema as schemas
from tuning.evaluation.text import normal
from tuning.reading import parsed
from tuning.row import Fault, Message

MOST_FAULTS = 20  # in a message


class QuestionsInvalidError(Exception):
    """The message has the file and its first faulty lines."""


@dataclass(frozen=True)
class Question:
    """`answers` are all accepted ones. If nothing answers it (`is_answerable` is false), an abstention is right.
    Questions of one `group` (wordings of one fact, one document) count as one when intervals are drawn."""

    line: int
    text: str
    answers: tuple[str, ...]
    group: str
    is_answerable: bool = True
    system: str = ""
    history: tuple[Message, ...] = ()  # earlier turns of the user and the assistant
    sources: frozenset[str] = frozenset()  # titles of documents with the answer
    schema: Mapping[str, Any] | None = None  # JSON schema of the answer


def read(path: Path, metric: str) -> list[Question]:
    """Raises QuestionsInvalidError, also for questions lacking a need of the metric, and OSError."""
    return _read(path, lambda number, line: _required(metric, of_line(number, line)))


def _read(path: Path, parse: Callable[[int, bytes], Question]) -> list[Question]:
    questions: list[Question] = []
    faults: list[str] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                questions.append(parse(number, line))
            except ValueError as error:
                faults.append(f"line {number}: {error}")
    if faults or not questions:
        shown = "; ".join(faults[:MOST_FAULTS]) or "it is empty"
        raise QuestionsInvalidError(f"{path} has {len(faults)} faults: {shown}")
    return questions


def unanswered(path: Path) -> list[Question]:
    """Questions for a teacher: an answer is not needed, and is ignored. Raises QuestionsInvalidError and OSError."""
    return _read(path, lambda number, line: of_line(number, line, needs_answer=False))


def _required(metric: str, question: Question) -> Question:
    """Raises ValueError if the metric cannot score an answer."""
    if not question.is_answerable:
        return question
    if metric == "citation" and not question.sources:
        raise ValueError("the metric citation needs sources, or the answer null")
    if metric in ("exact", "contains", "f1", "judge") and not question.answers:
        raise ValueError(f"the metric {metric} needs an answer, or null")
    if metric == "json" and question.schema is None:
        _require_json(question.answers)
    return question


def _require_json(answers: Sequence[str]) -> None:
    if not answers:
        raise ValueError("the metric json needs a schema or an answer, or null")
    for answer in answers:
        try:
            json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the accepted answer {answer[:40]!r} is not JSON") from error


def of_line(number: int, line: bytes, *, needs_answer: bool = True) -> Question:
    """Reads `question` and `answer` (a text, a list of accepted texts, or null), or a row of training data. Raises
    ValueError with the fault."""
    value = _object(line)
    if "question" not in value:
        return _of_row(number, line, value)
    text = value["question"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError("question is a text")
    answers = _answers(value) if needs_answer else ()
    return Question(number, text, answers, _group(value, number), is_answerable=bool(answers) or "answer" not in value,
                    system=_text(value, "system"), sources=frozenset(_texts(value.get("sources") or [], "sources")),
                    schema=schemas.checked(value.get("schema")))  # fmt: skip


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
    system = "\n\n".join(message.content for message in row.prompt if message.role == "system")
    *history, last = (message for message in row.prompt if message.role != "system")
    return Question(number, last.content, (row.answer,), _group(value, number), system=system, history=tuple(history))


def _answers(value: Mapping[str, Any]) -> tuple[str, ...]:
    """None for null, and for no `answer` where `sources` or `schema` say what is right."""
    if "answer" not in value and not value.get("sources") and not value.get("schema"):
        raise ValueError("it has no answer; where nothing answers it, the answer is null")
    answer = value.get("answer")
    answers = () if answer is None else tuple(_texts(answer if isinstance(answer, list) else [answer], "answer"))
    for each in answers:
        if not normal(each):
            raise ValueError(f"the accepted answer {each!r} has punctuation alone")
    return answers


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
