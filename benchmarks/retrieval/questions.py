"""Documents with labelled questions: the handbook beside this file, and SQuAD's format.

The handbook has a heading per document, a paragraph per passage, then lines "? QUESTION | NUMBER OF THE PASSAGE", and
"! QUESTION" for one on the document's subject that it does not answer.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "ko")

_ANSWERED = re.compile(r"^\? (?P<text>.*) \| (?P<passage>\d+)$", re.MULTILINE)
_SILENT = re.compile(r"^! (?P<text>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Question:
    text: str
    passage: int  # from 0, within its document
    answer: str = ""  # stands in the passage; empty where the whole passage counts


@dataclass(frozen=True)
class Document:
    title: str
    passages: tuple[str, ...]
    questions: tuple[Question, ...]
    silent: tuple[str, ...]
    """Questions on the document's subject that it does not answer."""


def handbook(language: str) -> list[Document]:
    text = (Path(__file__).parent / f"handbook.{language}.md").read_text()
    return [_section(part) for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]]


def _section(part: str) -> Document:
    title, _, rest = part.partition("\n")
    paragraphs = [block for block in rest.strip().split("\n\n") if not block.startswith(("?", "!"))]
    return Document(
        title,
        tuple(paragraphs),
        tuple(Question(match["text"], int(match["passage"]) - 1) for match in _ANSWERED.finditer(rest)),
        tuple(match["text"] for match in _SILENT.finditer(rest)),
    )


def squad(path: Path) -> list[Document]:
    """The articles of a file in the format of SQuAD 1.1, SQuAD 2.0 or KorQuAD 1.0. Two questions of each paragraph."""
    return [_article(number, each["paragraphs"]) for number, each in enumerate(json.loads(path.read_text())["data"])]


def _article(number: int, paragraphs: Sequence[dict[str, list[dict[str, list[dict[str, str]]]]]]) -> Document:
    asked = (
        Question(str(each["question"]), passage, each["answers"][0]["text"])
        for passage, paragraph in enumerate(paragraphs)
        for each in [each for each in paragraph["qas"] if each["answers"]][:2]
    )
    return Document(f"article {number}", tuple(str(each["context"]) for each in paragraphs), tuple(asked), ())
