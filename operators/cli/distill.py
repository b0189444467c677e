"""`quiver tune distill`: a teacher's answers become training data."""

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
    from operators.evaluation.teaching import NAME, NothingLearnedError, Teaching, as_data  # imported late: needs numpy
    from tuning.distillation import Distilled
    from tuning.evaluation.plan import Variant
    from tuning.evaluation.question import QuestionsInvalidError, unanswered
    from tuning.evaluation.run import OtherRunError

    if out.resolve() == questions.resolve():
        raise click.ClickException(f"{out} has the questions: name another file for the training data")
    teacher = Variant(name=NAME, model=model, system=system, knowledge_bases=tuple(knowledge_bases))
    teaching = Teaching(teacher, max_tokens, at_once)
    answers = out.with_name(f"{out.name}.answers")
    try:
        asked = unanswered(questions)

        async def lesson(client: PublicClient) -> Distilled:
            return await teaching.lesson(client, asked, answers, _say)

        result = Access(url, key, "teacher").run(lesson)
    except (QuestionsInvalidError, NothingLearnedError, OtherRunError, OSError) as error:
        raise click.ClickException(str(error)) from error
    out.write_text(as_data(result), encoding="utf-8")
    click.echo("\n".join(result.summary))
    click.echo(f"the training data is {out}: look at it with quiver tune check {out}")


def _say(done: int, total: int) -> None:
    click.echo(f"\r{done} of {total} answers", nl=done == total, err=True)
