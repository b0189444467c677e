"""`quiver tune`: looks at training data before anything is trained."""

from pathlib import Path

import click

_DEFAULT_LENGTH = 1024


@click.group()
def tune() -> None:
    """Training data for adapters."""


@tune.command()
@click.argument("data", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--base", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The base model's folder: rows are then read as it reads them.")  # fmt: skip
@click.option("--max-length", type=click.IntRange(16, 1_000_000), default=_DEFAULT_LENGTH, show_default=True,
              help="Tokens that the model reads of a row.")  # fmt: skip
def check(data: Path, base: Path | None, max_length: int) -> None:
    """Look at FILE, one JSON object a line: what is wrong with which line, copies, and how it is divided.

    Formats: OpenAI's chats, prompt and completion, Alpaca, ShareGPT. Of a conversation the last answer is learned.
    """
    from tuning.check import checked  # imported late: few commands need numpy and a tokenizer
    from tuning.rendering import BaseUnreadableError

    try:
        found = checked(data, base, max_length)
    except BaseUnreadableError as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join(found.summary))
    if found.faults:
        click.echo("\n".join(found.faults), err=True)
        raise click.ClickException(f"{found.faulty} faults in {data}: mend these lines, then check again")
