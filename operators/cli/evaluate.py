"""`quiver evaluate`: which variant answers a tenant's questions best."""

import json
from pathlib import Path

import click

from operators.cli.access import Access
from operators.cli.arguments import DEFAULT_PORT
from operators.clients.public_client import PublicClient


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
    from operators.evaluation.asking import Asking, place_of  # imported late: few commands need numpy
    from tuning.evaluation import plan as plans
    from tuning.evaluation.judging import Verdicts, judged
    from tuning.evaluation.question import QuestionsInvalidError, read
    from tuning.evaluation.report import lines, page
    from tuning.evaluation.result import result_of
    from tuning.evaluation.run import Answers, OtherRunError, answered

    try:
        read_plan = plans.read(plan)
        questions = read(read_plan.questions, read_plan.metric)

        async def asked(client: PublicClient) -> tuple[Answers, Verdicts]:
            place, ask = await place_of(client, read_plan.models), Asking(client).ask
            given = await answered(read_plan, questions, place, ask, out, _say)
            return given, await judged(read_plan, questions, given, place, ask, out, _say)

        answers, verdicts = Access(url, key, "gateway").run(asked)
    except (plans.PlanInvalidError, QuestionsInvalidError, OtherRunError, OSError) as error:
        raise click.ClickException(str(error)) from error
    result = result_of(read_plan, questions, answers, verdicts)
    (out / "result.json").write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")
    (out / "report.html").write_text(page(result, plan.stem), encoding="utf-8")
    click.echo("\n".join(lines(result)))
    click.echo(f"the report is {out / 'report.html'}")


def _say(done: int, total: int) -> None:
    click.echo(f"\r{done} of {total} answers", nl=done == total, err=True)
