"""`quiver evaluate`: which variant answers a tenant's questions best."""

import asyncio
import json
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import click

from operators.cli.access import Access
from operators.cli.arguments import DEFAULT_PORT
from operators.clients.public_client import PublicClient, RefusedError

PATIENCE_S = 600.0  # without any answer
_OF_THIS_REQUEST = (400, 413)  # statuses of refusals that say nothing about the next request


@click.command()
@click.argument("plan", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", envvar="QUIVER_URL", default=f"http://127.0.0.1:{DEFAULT_PORT}", show_default=True,
              help="The gateway's address (QUIVER_URL).")  # fmt: skip
@click.option("--key", envvar="QUIVER_API_KEY", required=True, help="A key of the tenant (QUIVER_API_KEY).")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="The folder for answers and report; a run that was broken off goes on from it.")  # fmt: skip
def evaluate(plan: Path, url: str, key: str, out: Path) -> None:
    """Ask each variant of PLAN every question, and compare their answers.

    PLAN is a YAML file with `questions`, `metric` and `variants`: see docs/evaluation.md. A winner is named only if it
    is better than every other variant after correction for their number.
    """
    from tuning.evaluation import plan as plans  # imported late: few commands need numpy
    from tuning.evaluation.question import QuestionsInvalidError, read
    from tuning.evaluation.report import lines, page
    from tuning.evaluation.result import result_of
    from tuning.evaluation.run import Answers, OtherRunError, answered

    try:
        read_plan = plans.read(plan)
        questions = read(read_plan.questions, read_plan.metric)

        async def asked(client: PublicClient) -> Answers:
            place = await _place(client, {variant.model for variant in read_plan.variants})
            return await answered(read_plan, questions, place, _Asking(client).ask, out, _say)

        answers = Access(url, key, "gateway").run(asked)
    except (plans.PlanInvalidError, QuestionsInvalidError, OtherRunError, OSError) as error:
        raise click.ClickException(str(error)) from error
    result = result_of(read_plan, questions, answers)
    (out / "result.json").write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")
    (out / "report.html").write_text(page(result, plan.stem), encoding="utf-8")
    click.echo("\n".join(lines(result)))
    click.echo(f"the report is {out / 'report.html'}")


class _Asking:
    """Waits where the API says that it is busy, or that the tenant's limit is reached, for a while."""

    def __init__(self, client: PublicClient) -> None:
        self._client = client
        self._last_answer = time.monotonic()

    async def ask(self, body: Mapping[str, Any]) -> tuple[Mapping[str, Any], float]:
        """Raises NotAnsweredError for a refusal of this request, and RefusedError for one of every request."""
        from tuning.evaluation.run import NotAnsweredError

        while True:
            begun = time.monotonic()
            reply = await self._client.reply("POST", "/v1/chat/completions", json=body)
            if reply.retry_after_s is not None:
                await self._wait(reply.retry_after_s, reply.refusal)
                continue
            if reply.refusal and reply.status not in _OF_THIS_REQUEST:
                raise RefusedError(f"{reply.refusal} The same command goes on once this is put right.")
            self._last_answer = time.monotonic()
            if reply.refusal:
                raise NotAnsweredError(reply.refusal)
            return reply.body, time.monotonic() - begun

    async def _wait(self, seconds: float, refusal: str) -> None:
        if time.monotonic() + seconds - self._last_answer > PATIENCE_S:
            raise RefusedError(f"{refusal} The same command goes on once it answers.")
        await asyncio.sleep(seconds)


async def _place(client: PublicClient, models: Collection[str]) -> str:
    """The API's address, and the versions of the models: an adapter that is released anew is another one."""
    listed = (await client.answer("GET", "/v1/models"))["data"]
    versions = {model["id"]: sorted(model.get("versions") or ()) for model in listed if model["id"] in models}
    return json.dumps([client.url, versions], sort_keys=True)


def _say(done: int, total: int) -> None:
    click.echo(f"\r{done} of {total} answers", nl=done == total, err=True)
