"""Asks every variant every question, and keeps each answer in a file: an interrupted run goes on from there."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tuning.evaluation.answer import Answer
from tuning.evaluation.plan import Plan, Variant
from tuning.evaluation.question import Question

ANSWERS = "answers.jsonl"
REPEATED = 50  # questions that the first variant is asked again, to show how far it agrees with itself
AGAIN = "(again)"

# A chat completion for a request's body, and its seconds. Raises NotAnsweredError.
Ask = Callable[[Mapping[str, Any]], Awaitable[tuple[Mapping[str, Any], float]]]
Turn = tuple[str, Variant, Question]  # the name under which the answer is kept, who is asked, and what
Say = Callable[[int, int], None]  # of how many answers there are, and will be
Answers = Mapping[tuple[str, int], Answer]  # by variant and line of the question


class NotAnsweredError(Exception):
    """The API refused this request for good; the message has its reason."""


class OtherRunError(Exception):
    """The folder has the answers of another evaluation."""


async def answered(plan: Plan, questions: Sequence[Question], place: str, ask: Ask, folder: Path, say: Say) -> Answers:
    """Variants take turns on each question, so that a busy moment meets all of them. `place` identifies the API and the
    versions of its models. Raises OtherRunError, OSError, and the other errors of `ask`."""
    run_id = identity(plan.variants, questions, plan.max_tokens, place)
    asking = Asking(ask, plan.max_tokens, plan.at_once, say)
    return await asking.answers(list(_turns(plan, questions)), run_id, folder / ANSWERS)


@dataclass(frozen=True)
class Asking:
    """How questions are asked: at most `at_once` at the same time, with answers of `max_tokens` at most. The next start
    asks refused questions again, unless refusals are kept."""

    ask: Ask
    max_tokens: int
    at_once: int
    say: Say
    keeps_refusals: bool = True

    async def answers(self, turns: Sequence[Turn], run_id: str, file: Path) -> Answers:
        """Of all turns; those in the file are not asked again. Raises OtherRunError, OSError, and the
        other errors of `ask`."""
        file.parent.mkdir(parents=True, exist_ok=True)
        answers = dict(_kept(file, run_id))
        missing = iter([turn for turn in turns if (turn[0], turn[2].line) not in answers])
        with file.open("a", encoding="utf-8") as lines:
            while batch := list(islice(missing, self.at_once)):
                asked = (_answer(variant, question, self.max_tokens, self.ask) for _, variant, question in batch)
                for (name, _, question), answer in zip(batch, await asyncio.gather(*asked), strict=True):
                    answers[name, question.line] = answer
                    if answer.error and not self.keeps_refusals:
                        continue
                    lines.write(json.dumps({"variant": name, "line": question.line, **_plain(answer)}) + "\n")
                lines.flush()
                self.say(len(answers), len(turns))
        return answers


def _turns(plan: Plan, questions: Sequence[Question]) -> Iterator[Turn]:
    first = plan.variants[0]
    for number, question in enumerate(questions):
        yield from ((variant.name, variant, question) for variant in plan.variants)
        if number < REPEATED:
            yield first.name + AGAIN, first, question


async def _answer(variant: Variant, question: Question, max_tokens: int, ask: Ask) -> Answer:
    body = variant.body(question, max_tokens)
    try:
        return Answer.of(*await ask(body))
    except NotAnsweredError as error:
        return Answer("", error=str(error))


def _plain(answer: Answer) -> Mapping[str, Any]:
    return asdict(answer) | {"cited": sorted(answer.cited)}


def identity(variants: Sequence[Variant], questions: Sequence[Question], max_tokens: int, place: str) -> str:
    """Identifies all inputs of the answers. The metric is none of them."""
    shown = [variant.model_dump(mode="json") for variant in variants]
    asked = [(question.line, question.system, str(question.history), question.text) for question in questions]
    text = json.dumps([shown, asked, max_tokens, place], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(file: Path, run_id: str) -> Iterator[tuple[tuple[str, int], Answer]]:
    """Answers of an earlier start, without a line cut by a kill. Begins a new file."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []
    whole = [line for line in lines if line.endswith("\n")]
    if whole and json.loads(whole[0]).get("run") != run_id:
        raise OtherRunError(f"{file} has the answers of another run: remove it, or name another place")
    file.write_text("".join(whole) or json.dumps({"run": run_id}) + "\n", encoding="utf-8")
    for line in whole[1:]:
        value = json.loads(line)
        key = value.pop("variant"), value.pop("line")
        yield key, Answer(**value | {"cited": frozenset(value["cited"])})
