"""`quiver tune distill`: a teacher's answers become training data."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from operators.cli.access import Access
from operators.cli.arguments import DEFAULT_PORT
from operators.clients.public_client import PublicClient


@click.command()
@click.argument("questions", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", required=True, help="The teacher: a base model, or an adapter.")
@click.option("--knowledge-base", "knowledge_bases", multiple=True,
              help="The teacher's documents; may be repeated. Answers that cite none are left out.")  # fmt: skip
@click.option("--system", default="", help="The teacher's system prompt.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help="The training data; OUT.answers keeps every answer, so that the same command goes on.")  # fmt: skip
@click.option("--max-tokens", type=click.IntRange(1, 4096), default=256, show_default=True, help="Of an answer.")
@click.option("--at-once", type=click.IntRange(1, 64), default=4, show_default=True, help="Requests at the same time.")
@click.option("--url", envvar="QUIVER_URL", default=f"http://127.0.0.1:{DEFAULT_PORT}", show_default=True,
              help="The address of an API like OpenAI's, without /v1 (QUIVER_URL).")  # fmt: skip
@click.option("--key", envvar="QUIVER_API_KEY", required=True, help="A key for it (QUIVER_API_KEY).")
def distill(
    questions: Path, model: str, knowledge_bases: Sequence[str], system: str, out: Path, max_tokens: int,
    at_once: int, url: str, key: str,
) -> None:  # fmt: skip
    """Ask a teacher the questions of FILE, and write its answers as training data for a student without its documents.

    FILE has one JSON object a line with `question`; several wordings of each fact teach most. Abstentions are kept.
    """
    from operators.evaluation.asking import Asking as Requests  # imported late: few commands need numpy
    from operators.evaluation.asking import place_of
    from tuning.distillation import distilled
    from tuning.evaluation.plan import Variant
    from tuning.evaluation.question import QuestionsInvalidError, unanswered
    from tuning.evaluation.run import Answers, Asking, OtherRunError, identity

    if out.resolve() == questions.resolve():
        raise click.ClickException(f"{out} has the questions: name another file for the training data")
    teacher = Variant(name="teacher", model=model, system=system, knowledge_bases=tuple(knowledge_bases))
    try:
        asked = unanswered(questions)

        async def answers_of(client: PublicClient) -> Answers:
            asking = Asking(Requests(client).ask, max_tokens, at_once, _say, keeps_refusals=False)
            run_id = identity([teacher], asked, max_tokens, await place_of(client, {model}))
            turns = [(teacher.name, teacher, question) for question in asked]
            return await asking.answers(turns, run_id, out.with_name(f"{out.name}.answers"))

        answers = Access(url, key, "teacher").run(answers_of)
    except (QuestionsInvalidError, OtherRunError, OSError) as error:
        raise click.ClickException(str(error)) from error
    given = [answers[teacher.name, question.line] for question in asked]
    result = distilled(asked, given, needs_citation=bool(knowledge_bases))
    if not result.rows:
        first = next((answer.error for answer in given if answer.error), "")
        raise click.ClickException(f"no answer can be learned: {', '.join(result.summary)}; {first}".rstrip("; "))
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in result.rows), encoding="utf-8")
    click.echo("\n".join(result.summary))
    click.echo(f"the training data is {out}: look at it with quiver tune check {out}")


def _say(done: int, total: int) -> None:
    click.echo(f"\r{done} of {total} answers", nl=done == total, err=True)
