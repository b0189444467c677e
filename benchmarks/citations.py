"""`make bench-citations`: marks whose passage does not hold the answer's value, among planted neighbours.

Protocol: half of the questions are the demo's held-out ones, whose passages differ in the subject or in the attribute
alone; half are about cells of tables (plans, versions, dates, amounts), where a neighbour is a cell away. All passages
are documents of one knowledge base; the demo's base model answers through the gateway, greedily. A mark is wrong if the
passage of its annotation does not hold the value that the answer states. `--quick`: 150 questions, not 500.
"""

import argparse
import random
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import openai

from benchmarks.quality import clients, objects
from benchmarks.report import Bar, report
from examples.demo.platform import running
from examples.demo.workspace import AlreadyRunning, alone, clear
from models.demo.corpus import Example, Fact, Writer, held_out

ROOT = Path("build/citations")
SEED = 20_261_129
QUESTIONS, QUICK_QUESTIONS = 500, 150
ROWS, COLUMNS = 5, 4  # of a table: subjects, attributes
PER_TABLE = 5  # questions
CALLERS = 8
LEAST_MARKS = 0.5  # of the questions: without marks, none can be wrong

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

    @property
    def value(self) -> str:
        """What the base model states: its style is the value alone, and a mark."""
        return _MARK.sub("", self.text).strip().rstrip(".")

    @property
    def wrong_marks(self) -> int:
        return sum(_plain(self.value) not in _plain(passage) for passage in self.cited)


def tables(count: int, writer: Writer) -> Iterator[Table]:
    for _ in range(count):
        subjects, attributes = writer.entities(ROWS), writer.attributes(COLUMNS)
        facts = [[Fact(subject, each, writer.value(each.kind)) for each in attributes] for subject in subjects]
        rows = [["", *(attribute.phrase for attribute in attributes)], ["---"] * (COLUMNS + 1)]
        rows += [[row[0].entity, *(fact.value for fact in row)] for row in facts]
        text = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        asked = writer.rng.sample([fact for row in facts for fact in row], PER_TABLE)
        yield Table(text, [(writer.question(fact), fact.value) for fact in asked])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_QUESTIONS} questions")
    count = QUICK_QUESTIONS if parser.parse_args().quick else QUESTIONS
    scenes = [example for example in held_out(count, SEED) if example.answer is not None][: count // 2]
    planted = list(tables((count - len(scenes)) // PER_TABLE, Writer(random.Random(SEED), held=True)))
    try:
        with alone(ROOT):
            clear(ROOT)
            return _report(_answers(scenes, planted))
    except AlreadyRunning as error:
        print(f"bench-citations: {error}", file=sys.stderr)
        return 1


def _answers(scenes: Sequence[Example], planted: Sequence[Table]) -> list[Answer]:
    root = objects(ROOT, scenes)
    for number, table in enumerate(planted):
        (root / "documents" / "acme" / "facts" / f"table-{number:03}.md").write_text(table.text)
    asked = [(example.question, example.answer or "") for example in scenes]
    asked += [question for table in planted for question in table.questions]
    with running(root, tenants=("acme",), out=sys.stderr) as platform:
        platform.wait_until_ready()
        with clients(platform) as opened, ThreadPoolExecutor(CALLERS) as pool:
            return list(pool.map(lambda each: _ask(opened["acme"], *each), asked))


def _ask(client: openai.OpenAI, question: str, expected: str) -> Answer:
    answer = client.chat.completions.create(
        model="quiver-demo",
        messages=[{"role": "user", "content": question}],
        max_tokens=48,
        temperature=0,
        extra_body={"retrieval": {"knowledge_bases": ["facts"]}},
    )
    message = answer.choices[0].message
    passages = [f"{each.url_citation.title} {each.url_citation.text}" for each in message.annotations or ()]  # type: ignore[attr-defined]
    return Answer(question, expected, message.content or "", passages)


def _plain(text: str) -> str:
    """Case, width and spaces do not make another value."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _report(answers: Sequence[Answer]) -> int:
    wrong = [answer for answer in answers if answer.wrong_marks]
    right = sum(_plain(answer.value) == _plain(answer.expected) for answer in answers)
    marked = sum(bool(answer.cited) for answer in answers)
    return report(
        "citations",
        {
            "R4": Bar(sum(answer.wrong_marks for answer in wrong), 0, "marks", at_most=True),
            "R4-marked": Bar(round(marked / len(answers), 3), LEAST_MARKS, "of answers"),
        },
        notes=[
            f"{len(answers)} questions, {marked} answers with marks, {right} with the right value",
            *(f"{each.question} → {each.text!r}, cites {each.cited}" for each in wrong),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
