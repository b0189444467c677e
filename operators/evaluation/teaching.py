"""`python -m operators.evaluation.teaching … -- COMMAND`: a teacher answers a FineTune's questions, then COMMAND, the
trainer, learns its answers.

A killed job goes on from the answers in its folder. Exits with REFUSED if another try would fail as this one.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from contract.fine_tune import Teacher
from contract.job import DATA, QUESTIONS, REFUSED, RESULT, TEACHER
from operators.clients.public_client import PublicClient, RefusedError, connected
from operators.evaluation.asking import Asking as Requests
from operators.evaluation.asking import place_of, until_listed
from operators.evaluation.output import Progress, say
from operators.settings import AskingSettings
from service.files import replace
from tuning.distillation import Distilled, distilled
from tuning.evaluation.plan import Variant
from tuning.evaluation.question import Question, QuestionsInvalidError, unanswered
from tuning.evaluation.run import ANSWERS, Answers, Asking, OtherRunError, Say, Turn, identity

NAME = "teacher"
AT_ONCE = 4  # requests of a job: few, since they take turns with people's
KEY = "QUIVER_API_KEY"


class NothingLearnedError(Exception):
    """No answer can be learned; the message has the reasons."""


@dataclass(frozen=True)
class Teaching:
    """The teacher, the most tokens of an answer, and the number of requests at the same time."""

    teacher: Variant
    max_tokens: int
    at_once: int = AT_ONCE

    async def lesson(self, client: PublicClient, questions: Sequence[Question], answers: Path, say: Say) -> Distilled:
        """The answers to learn; those in the file are not asked for again. Raises NothingLearnedError, OtherRunError,
        RefusedError and OSError."""
        asking = Asking(Requests(client).ask, self.max_tokens, self.at_once, say, keeps_refusals=False)
        place = await place_of(client, {self.teacher.model})
        turns: list[Turn] = [(NAME, self.teacher, question) for question in questions]
        given = await asking.answers(turns, identity([self.teacher], questions, self.max_tokens, place), answers)
        return self._learned(questions, given)

    def _learned(self, questions: Sequence[Question], answers: Answers) -> Distilled:
        given = [answers[NAME, question.line] for question in questions]
        result = distilled(questions, given, needs_citation=bool(self.teacher.knowledge_bases))
        if not result.rows:
            first = next((answer.error for answer in given if answer.error), "")
            reasons = "; ".join(filter(None, (", ".join(result.summary), first)))
            raise NothingLearnedError(f"no answer of {self.teacher.model} can be learned: {reasons}")
        return result


def teaching(teacher: Teacher) -> Teaching:
    asked = Variant(
        name=NAME, model=teacher.model, system=teacher.system, knowledge_bases=tuple(teacher.knowledge_bases)
    )
    return Teaching(asked, teacher.max_tokens)


def as_data(result: Distilled) -> str:
    """The lines of a file of training data."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in result.rows)


def main() -> int:
    given, command = _given()
    try:
        if not _is_taught(given.folder):
            asyncio.run(_asked(given.folder, teaching(given.teacher), given.url))
    except (QuestionsInvalidError, NothingLearnedError) as error:
        say({"error": str(error)})
        return REFUSED
    except (RefusedError, OtherRunError, OSError) as error:  # they may pass: a limit, a restarting gateway
        say({"error": str(error)})
        return 1
    return _become(command)


def _is_taught(folder: Path) -> bool:
    """True once there is data. A finished training has removed it."""
    return (folder / DATA).is_file() or (folder / RESULT).is_file()


def _given() -> tuple[argparse.Namespace, Sequence[str]]:
    parser = argparse.ArgumentParser(prog="python -m operators.evaluation.teaching", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--url", required=True, help="the gateway's address")
    parser.add_argument("--teacher", type=Teacher.model_validate_json, required=True, help="its fields, as JSON")
    parser.add_argument("command", nargs="+", help="the trainer's command, behind --")
    given = parser.parse_args()
    return given, given.command


def _become(command: Sequence[str]) -> NoReturn:
    """The trainer asks nothing, and gets no key."""
    os.unsetenv(KEY)
    os.execvp(command[0], list(command))  # noqa: S606 - the operator's own command


async def _asked(folder: Path, how: Teaching, url: str) -> None:
    """Answers of other versions, from before the job was killed, are asked for anew. The data is written last."""
    questions = unanswered(folder / QUESTIONS)
    key = AskingSettings().api_key.get_secret_value()  # type: ignore[call-arg]  # from the environment
    async with connected(url, key, "gateway") as client:
        await until_listed(client, {how.teacher.model})
        try:
            result = await how.lesson(client, questions, folder / ANSWERS, Progress())
        except OtherRunError:
            (folder / ANSWERS).unlink()
            result = await how.lesson(client, questions, folder / ANSWERS, Progress())
    replace(folder / TEACHER, ", ".join(result.summary))
    replace(folder / DATA, as_data(result))
    say({"answers": len(questions), "of": len(questions)})


if __name__ == "__main__":
    sys.exit(main())
