"""Marks whose passage lacks the answer's value, and answers where the documents are silent.

Protocol: half of the questions are the demo's held-out ones, whose passages differ in the subject or in the attribute
alone; half are about cells of tables (plans, versions, dates, amounts), where a neighbour is a cell away. All passages
are documents of one knowledge base; the demo's base model answers through the gateway, greedily. A mark is wrong if the
passage of its annotation does not hold the value that the answer states. Further questions are about subjects and
attributes of the documents that no passage joins: the share that the whole path refuses, against the share that the
best gate by relevance alone would refuse while it answers nine of ten others; of the held-out questions with an
answer, nine of ten must not be refused.
"""

import random
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import openai

from benchmarks.quality import clients, objects
from benchmarks.report import Bar
from examples.demo.platform import running
from examples.demo.workspace import alone, clear
from models.demo.corpus import UNKNOWN, Example, Fact, Writer, held_out

ROOT = Path("build/citations")
SEED = 20_261_129
QUESTIONS, QUICK_QUESTIONS = 500, 150
ROWS, COLUMNS = 5, 4  # of a table: subjects, attributes
PER_TABLE = 5  # questions
CALLERS = 8
LEAST_MARKS = 0.5  # of the questions: without marks, none can be wrong
GATE_ANSWERS, TIMES_GATE = 0.9, 2.0

_MARK = re.compile(r"\s*\[\d{1,2}\]")


@dataclass(frozen=True)
class Table:
    text: str
    questions: Sequence[tuple[str, str]]
    """With the value of the cell."""


@dataclass(frozen=True)
class Answer:
    question: str
    expected: str
    text: str
    cited: Sequence[str]
    """The passages of its marks."""
    relevance: float
    """Of the most relevant passage."""
    is_refused: bool
    """By the gate, or by the model that read the passages."""

    @property
    def value(self) -> str:
        """What the base model states: its style is the value alone, and a mark."""
        return _MARK.sub("", self.text).strip().rstrip(".")

    @property
    def wrong_marks(self) -> int:
        return sum(not _holds(passage, self.value) for passage in self.cited)


def tables(count: int, writer: Writer) -> Iterator[Table]:
    for _ in range(count):
        subjects, attributes = writer.entities(ROWS), writer.attributes(COLUMNS)
        facts = [[Fact(subject, each, writer.value(each.kind)) for each in attributes] for subject in subjects]
        rows = [["", *(attribute.phrase for attribute in attributes)], ["---"] * (COLUMNS + 1)]
        rows += [[row[0].entity, *(fact.value for fact in row)] for row in facts]
        text = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        asked = writer.rng.sample([fact for row in facts for fact in row], PER_TABLE)
        yield Table(text, [(writer.question(fact), fact.value) for fact in asked])


def run(quick: bool) -> tuple[dict[str, Bar], list[str]]:
    """Raises AlreadyRunning."""
    count = QUICK_QUESTIONS if quick else QUESTIONS
    examples = list(held_out(2 * count, SEED))
    scenes = [example for example in examples if example.answer is not None][: count // 2]
    silent = [example for example in examples if example.answer is None and example.passages][: count // 5]
    planted = list(tables((count - len(scenes)) // PER_TABLE, Writer(random.Random(SEED), held=True)))
    with alone(ROOT):
        clear(ROOT)
        return _judged(*_answers(scenes, silent, planted), len(scenes))


def _answers(
    scenes: Sequence[Example], silent: Sequence[Example], planted: Sequence[Table]
) -> tuple[list[Answer], list[Answer]]:
    """The answers to questions with an answer in the documents, and to those without one."""
    root = objects(ROOT, [*scenes, *silent])
    for number, table in enumerate(planted):
        (root / "documents" / "acme" / "facts" / f"table-{number:03}.md").write_text(table.text)
    asked = [(example.question, example.answer or "") for example in scenes]
    asked += [question for table in planted for question in table.questions]
    with running(root, tenants=("acme",), out=sys.stderr) as platform:
        platform.wait_until_ready()
        with clients(platform) as opened, ThreadPoolExecutor(CALLERS) as pool:
            answers = list(pool.map(lambda each: _ask(opened["acme"], *each), asked))
            return answers, list(pool.map(lambda each: _ask(opened["acme"], each.question, ""), silent))


def _ask(client: openai.OpenAI, question: str, expected: str) -> Answer:
    answer = client.chat.completions.create(
        model="quiver-demo",
        messages=[{"role": "user", "content": question}],
        max_tokens=48,
        temperature=0,
        extra_body={"retrieval": {"knowledge_bases": ["facts"], "explain": True}},
    )
    message = answer.choices[0].message
    considered = answer.retrieval["passages"]  # type: ignore[attr-defined]
    passages = [each.url_citation.text for each in message.annotations or ()]  # type: ignore[attr-defined]
    relevance = max((each["relevance"] for each in considered), default=0.0)
    text = message.content or ""
    is_refused = bool(getattr(message, "abstained", False)) or text == UNKNOWN
    return Answer(question, expected, text, passages, relevance, is_refused)


def _holds(passage: str, value: str) -> bool:
    """True if the value stands in the passage as a whole: "4 days" is not in "14 days". Nothing is no value."""
    wanted = re.escape(_plain(value))
    return bool(wanted) and re.search(rf"(?<![\w.,])(?<![$€£-]){wanted}(?![\w]|[.,]\d)", _plain(passage)) is not None


def _plain(text: str) -> str:
    """Case, width and spaces do not make another value."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _refused_by_gate(answers: Sequence[Answer], silent: Sequence[Answer]) -> float:
    """The share of the silent that the best threshold refuses."""
    answered = sorted(answer.relevance for answer in answers)
    threshold = answered[int(len(answered) * (1 - GATE_ANSWERS))]
    return mean(answer.relevance < threshold for answer in silent)


def _judged(answers: Sequence[Answer], silent: Sequence[Answer], scenes: int) -> tuple[dict[str, Bar], list[str]]:
    """The first `scenes` of the answers are to held-out questions, the others to cells of tables."""
    wrong = [answer for answer in answers if answer.wrong_marks]
    right = sum(_plain(answer.value) == _plain(answer.expected) for answer in answers)
    marked = sum(bool(answer.cited) for answer in answers)
    refused, by_gate = mean(answer.is_refused for answer in silent), _refused_by_gate(answers, silent)
    return (
        {
            "R4": Bar(sum(answer.wrong_marks for answer in wrong), 0, "marks", at_most=True),
            "R4-marked": Bar(round(marked / len(answers), 3), LEAST_MARKS, "of answers"),
            "R3": Bar(round(refused / max(by_gate, 0.01), 2), TIMES_GATE, "times"),
            "R3-answered": Bar(
                round(1 - mean(answer.is_refused for answer in answers[:scenes]), 3), GATE_ANSWERS, "of answers"
            ),
        },
        [
            f"{len(answers)} questions, {marked} answers with marks, {right} with the right value",
            f"{len(silent)} questions on silent documents: {refused:.2f} refused, {by_gate:.2f} by the best gate alone",
            *(f"{each.question} → {each.text!r}, cites {each.cited}" for each in wrong),
        ],
    )
