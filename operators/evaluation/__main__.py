"""`python -m operators.evaluation`: an Evaluation's job. It asks the gateway as its tenant, and compares the answers.

A killed job goes on from the answers in its folder. Exits with REFUSED if another try would fail as this one.
The last line, and the file of --result, have the result; the folder has the report.
"""

import argparse
import asyncio
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from contract.job import DATA, REFUSED, RESULT
from operators.clients.public_client import PublicClient, RefusedError, connected
from operators.evaluation.asking import Asking, place_of, until_listed
from operators.evaluation.output import Progress, say
from operators.evaluation.references import first, this_run
from operators.evaluation.summary import summary
from operators.settings import AskingSettings
from service.files import replace
from tuning.evaluation.golden import changes
from tuning.evaluation.judging import VERDICTS, Verdicts, judged
from tuning.evaluation.plan import Plan
from tuning.evaluation.question import Question, QuestionsInvalidError, read
from tuning.evaluation.report import page
from tuning.evaluation.result import result_of, scores_of
from tuning.evaluation.run import ANSWERS, Answers, OtherRunError, answered

T = TypeVar("T")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m operators.evaluation", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--url", required=True, help="the gateway's address")
    parser.add_argument("--plan", type=json.loads, required=True, help="the plan without its questions, as JSON")
    parser.add_argument("--result", type=Path, help="a file for the result")
    given = parser.parse_args()
    try:
        plan = Plan.model_validate({**given.plan, "questions": str(given.folder / DATA)})
        result = _done(given.folder, plan, given.url)
    except (QuestionsInvalidError, ValidationError) as error:
        say({"error": str(error)})
        return REFUSED
    except (RefusedError, OtherRunError, OSError) as error:  # they may pass: a key, a limit, a restarting gateway
        say({"error": str(error)})
        return 1
    say({"result": result})
    if given.result:
        given.result.write_text(json.dumps({"result": result}))
    return 0


def _done(folder: Path, plan: Plan, url: str) -> Mapping[str, Any]:
    file = folder / RESULT
    if not file.is_file():
        questions = read(plan.questions, plan.metric)
        answers, verdicts = asyncio.run(_answers(folder, plan, questions, url))
        _write(folder, plan, questions, answers, verdicts)
    return dict(json.loads(file.read_text()))


async def _answers(folder: Path, plan: Plan, questions: list[Question], url: str) -> tuple[Answers, Verdicts]:
    async with connected(url, _key(), "gateway") as client:
        return await _asked(client, folder, plan, questions)


def _key() -> str:
    return AskingSettings().api_key.get_secret_value()  # type: ignore[call-arg]  # from the environment


async def _asked(client: PublicClient, folder: Path, plan: Plan, questions: list[Question]) -> tuple[Answers, Verdicts]:
    """Answers and verdicts of other versions, from before the job was killed, are asked anew."""
    await until_listed(client, plan.models)
    place, ask = await place_of(client, plan.models), Asking(client).ask

    async def again(file: str, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await work()
        except OtherRunError:
            (folder / file).unlink()
            return await work()

    answers = await again(ANSWERS, lambda: answered(plan, questions, place, ask, folder, Progress()))
    verdicts = await again(VERDICTS, lambda: judged(plan, questions, answers, place, ask, folder, Progress()))
    return answers, verdicts


def _write(folder: Path, plan: Plan, questions: list[Question], answers: Answers, verdicts: Verdicts) -> None:
    """The result is written last."""
    result = result_of(plan, questions, answers, verdicts)
    (folder / "report.html").write_text(page(result, folder.name), encoding="utf-8")
    (folder / "details.json").write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")
    digest = hashlib.sha256(plan.questions.read_bytes()).hexdigest()
    scores = scores_of(plan, questions, answers, verdicts)
    this = this_run(folder, digest, scores)
    reference = first(folder, this)
    since = () if reference.run == this.run else changes(reference, scores, questions)
    replace(folder / RESULT, json.dumps(summary(result, digest, reference.run if since else "", since)))


if __name__ == "__main__":
    sys.exit(main())
