"""T5: a student that has learned its teacher's answers, and answers questions in new wordings without documents.

The teacher is the demo's base model with documents that hold made-up facts. It is asked each fact in several wordings;
its cited answers train an adapter. Both are then asked in new wordings.
"""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import openai

from benchmarks.tuning import facts
from benchmarks.tuning.trained import DEMO
from examples.demo.platform import QUIVER, Platform, running
from models.demo.corpus import Fact
from tuning.evaluation.text import normal

SEED = 20_261_130
TAUGHT, STUDENT = "taught", "student"
# Facts are learned by heart: many passes, at a high rate.
_RECIPE = ("--rank", "16", "--alpha", "32", "--rate", "2e-3", "--epochs", "20", "--max-length", "256")


@dataclass(frozen=True)
class Distilled:
    """Shares of exact answers to new wordings, and the rows that were learned."""

    teacher: float
    student: float
    rows: int


def distilled(root: Path, count: int, wordings: int) -> Distilled:
    """`root` must not exist. `count` facts are taught, each in several wordings."""
    taught = facts.made(count, SEED)
    _objects(root, taught)
    with running(root, tenants=("acme",), out=None) as platform:
        platform.wait_until_ready()
        rows = _taught(platform, root / "teaching", taught, wordings)
        _serve(platform, root)
        with openai.OpenAI(base_url=platform.url, api_key=platform.keys["acme"], max_retries=0, timeout=120) as client:
            asked = [
                (question, fact.value) for fact in taught for question in facts.wordings(fact, 2, held=True, seed=SEED)
            ]
            teacher = _exact(asked, lambda question: _ask(client, "quiver-demo", question, documents=True))
            student = _exact(asked, lambda question: _ask(client, STUDENT, question, documents=False))
    return Distilled(teacher, student, rows)


def _objects(root: Path, taught: Sequence[Fact]) -> None:
    facts.copied_objects(root)
    facts.write_documents(root, TAUGHT, [facts.statement(fact, SEED) for fact in taught])


def _taught(platform: Platform, folder: Path, taught: Sequence[Fact], wordings: int) -> int:
    """Trains the student in `folder`/adapter. Returns the number of rows of its data."""
    folder.mkdir()
    asked = [question for fact in taught for question in facts.wordings(fact, wordings, held=False, seed=SEED)]
    questions, data = folder / "questions.jsonl", folder / "rows.jsonl"
    questions.write_text("".join(json.dumps({"question": question}) + "\n" for question in asked))
    _run("tune", "distill", str(questions), "--model", "quiver-demo", "--knowledge-base", TAUGHT, "--out", str(data),
         "--url", platform.url.removesuffix("/v1"), "--key", platform.keys["acme"])  # fmt: skip
    _run("tune", "train", str(data), "--base", str(DEMO), "--out", str(folder / "adapter"), *_RECIPE)
    return len(data.read_text().splitlines())


def _run(*words: str) -> None:
    subprocess.run([QUIVER, *words], check=True)


def _serve(platform: Platform, root: Path) -> None:
    facts.apply(root, "Adapter", STUDENT, {"baseModel": "quiver-demo", "source": str(root / "teaching" / "adapter")})
    platform.wait_until(lambda: platform.answers(STUDENT), what="student")


def _ask(client: openai.OpenAI, model: str, question: str, *, documents: bool) -> str:
    retrieval = {"knowledge_bases": [TAUGHT]} if documents else {"grounded": False}
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        max_tokens=24,
        temperature=0,
        extra_body={"retrieval": retrieval},
    )
    return answer.choices[0].message.content or ""


def _exact(asked: Sequence[tuple[str, str]], answer: Callable[[str], str]) -> float:
    return sum(normal(answer(question)) == normal(value) for question, value in asked) / len(asked)
