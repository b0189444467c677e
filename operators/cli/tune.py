"""`quiver tune`: looks at training data, and trains an adapter on it."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from contract.fine_tune import Augmentation
from operators.cli.distill import distill
from operators.settings import Settings, inherited_environment
from tuning.recipe import METHODS, NOT_FULL

_DEFAULT_LENGTH = 1024


class _Method(click.Choice[str]):
    def __init__(self) -> None:
        super().__init__(METHODS)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == "full":
            self.fail(NOT_FULL, param, ctx)
        return super().convert(value, param, ctx)


_data = click.argument("data", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_base = click.option("--base", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
                     help="The base model's folder.")  # fmt: skip
_max_length = click.option("--max-length", type=click.IntRange(16, 1_000_000), default=_DEFAULT_LENGTH,
                           show_default=True, help="Tokens that the model reads of a row.")  # fmt: skip
_seed = click.option("--seed", type=int, default=0, show_default=True)


@click.group()
def tune() -> None:
    """Training data, and adapters trained on it."""


@tune.command()
@_data
@click.option("--base", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The base model's folder: rows are then read as it reads them.")  # fmt: skip
@_max_length
def check(data: Path, base: Path | None, max_length: int) -> None:
    """Look at FILE, one JSON object a line: what is wrong with which line, copies, and how it is divided.

    Formats: OpenAI's chats, prompt and completion, Alpaca, ShareGPT. Of a conversation the last answer is learned.
    """
    from tuning.check import checked  # imported late: few commands need numpy and a tokenizer
    from tuning.rendering import BaseUnreadableError

    try:
        result = checked(data, base, max_length)
    except BaseUnreadableError as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join(result.summary))
    if result.faults:
        click.echo("\n".join(result.faults), err=True)
        raise click.ClickException(f"{result.faulty} faults in {data}: mend these lines, then check again")


@tune.command()
@_data
@_base
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="The adapter's folder; made if missing.")  # fmt: skip
@click.option("--method", type=_Method(), default="lora", show_default=True,
              help=f"{', '.join(METHODS)}: with q, the base is in 4 bits while training.")  # fmt: skip
@click.option("--start", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The folder of an adapter to go on from.")  # fmt: skip
@click.option("--rank", type=click.IntRange(1, 256), default=16, show_default=True)
@click.option("--alpha", type=click.IntRange(1, 1024), default=32, show_default=True)
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), default=2e-4, show_default=True,
              help="Of learning; small models want ten times as much.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1, 100), default=3, show_default=True)
@click.option("--batch", type=click.IntRange(1, 1024), default=8, show_default=True, help="Rows of a step.")
@_max_length
@_seed
def train(data: Path, base: Path, out: Path, start: Path | None, **recipe: Any) -> None:
    """Train an adapter on FILE, and write it to OUT with where it comes from (lineage.json).

    The same command goes on where it was broken off. Training stops early once the held-out rows are learned no
    better, and keeps the best adapter. It runs at a low priority in the engine's environment.
    """
    more = ["--start", str(start)] if start else []
    _train("", data, base, out, "--recipe", json.dumps(recipe), *more)


def _train(module: str, data: Path, base: Path, out: Path, *words: str) -> None:
    """Runs a command of the trainer at a low priority. Raises ClickException."""
    name = f"tuning.trainer.{module}".rstrip(".")
    command = ["nice", str(Settings().engine_python), "-m", name, "--data", str(data), "--base", str(base), "--out",
               str(out), *words]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment()) as trainer:
        try:
            said = [_shown(json.loads(line)) for line in trainer.stdout or () if line.startswith("{")]
        except KeyboardInterrupt:
            trainer.terminate()
            raise click.ClickException(f"broken off; the same command goes on from {out}") from None
    if trainer.returncode or not said:
        raise click.ClickException(f"training ended with status {trainer.returncode}; the same command goes on")


@tune.command()
@_data
@_base
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="The search's folder; OUT/adapter becomes the winner.")  # fmt: skip
@click.option("--trials", type=click.IntRange(2, 1000), default=12, show_default=True)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=60, show_default=True,
              help="No trial begins later.")  # fmt: skip
@click.option("--most-rank", type=click.IntRange(1, 512), default=16, show_default=True,
              help="The base model's maxRank.")  # fmt: skip
@click.option("--method", type=_Method(), default="lora", show_default=True)
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), default=2e-4, show_default=True,
              help="That is to be beaten; a quarter to ten times of it is tried.")  # fmt: skip
@_max_length
@_seed
def search(
    data: Path, base: Path, out: Path, trials: int, minutes: float, most_rank: int, **recipe: Any
) -> None:  # fmt: skip
    """Search for a recipe: the rate first, then rank, layers and epochs.

    The first trial is the defaults. The winner is compared with it on rows that no trial saw, and kept only if the
    interval of its gain is above zero. The same command goes on where it was broken off.
    """
    _train("search", data, base, out, "--recipe", json.dumps(recipe), "--trials", str(trials), "--minutes",
           str(minutes), "--most-rank", str(most_rank))  # fmt: skip


@tune.command()
@_data
@_base
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="The folder of both; OUT/adapter becomes the better one.")  # fmt: skip
@click.option("--noise", type=click.FloatRange(0, 1), default=0.1, show_default=True,
              help="Share of a question's words with a typing error.")  # fmt: skip
@click.option("--template", "templates", multiple=True, help="A text with {question} in it; may be repeated.")
@click.option("--copies", type=click.IntRange(1, 20), default=1, show_default=True, help="Of each row.")
@click.option("--method", type=_Method(), default="lora", show_default=True)
@click.option("--rank", type=click.IntRange(1, 256), default=16, show_default=True)
@click.option("--alpha", type=click.IntRange(1, 1024), default=32, show_default=True)
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), default=2e-4, show_default=True)
@click.option("--epochs", type=click.IntRange(1, 100), default=3, show_default=True)
@_max_length
@_seed
def augment(
    data: Path, base: Path, out: Path, noise: float, templates: tuple[str, ...], copies: int, **recipe: Any
) -> None:
    """Train without and with other wordings of the questions, and keep those only if they helped.

    Typing errors as people make them, lost accents, Korean without particles or final consonants, and templates. Both
    have as many steps. They help if the interval of the gain, on rows that neither has seen, is above zero.
    """
    try:
        how = Augmentation(noise=noise, templates=templates, copies=copies)
    except ValidationError as error:
        raise click.ClickException("; ".join(str(each["msg"]) for each in error.errors())) from error
    _train("augment", data, base, out, "--recipe", json.dumps(recipe), "--augmentation", how.model_dump_json())


@tune.command()
@click.argument("adapter", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_base
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The LoRA's folder.")
@click.option("--rank", type=click.IntRange(1, 512), default=64, show_default=True)
@click.option("--most-error", type=click.FloatRange(0, 1), default=0.1, show_default=True,
              help="Share of the adapter's change that may be left out.")  # fmt: skip
def convert(adapter: Path, base: Path, out: Path, rank: int, most_error: float) -> None:
    """Make the best plain LoRA for the DoRA in ADAPTER, for engines that do not serve DoRA, and print its error."""
    command = [str(Settings().engine_python), "-m", "tuning.trainer.convert", "--adapter", str(adapter), "--base",
               str(base), "--out", str(out), "--rank", str(rank), "--most-error", str(most_error)]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if ended.returncode:
        raise click.ClickException(ended.stderr.strip().rpartition("\n")[2])
    click.echo(ended.stdout, nl=False)


def _environment() -> Mapping[str, str]:
    return inherited_environment() | {"HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _shown(line: Mapping[str, Any]) -> str:
    """Says a line of the trainer, and returns it. Raises ClickException for a refusal."""
    if "error" in line:
        raise click.ClickException(str(line["error"]))
    text = _end(line) if "adapter" in line else _trial(line) if "trial" in line else _progress(line) if line else ""
    if text:
        click.echo(text)
    return text


def _end(line: Mapping[str, Any]) -> str:
    place = f"the adapter is in {line['adapter']}"
    if augmented := line.get("augmented"):
        from tuning.augmentation import outcome  # imported late: it needs numpy

        return f"{outcome(augmented)}; {place}"
    if (result := line.get("result")) is None:
        return place
    saved = f"{result['steps']} of {result['all_steps']} steps were trained"
    if (gain := result["gain"]) is None:
        return f"{'the defaults could not be trained' if result['is_better'] else 'the defaults won'}; {saved}; {place}"
    size = f"{gain['low']:+.3f} to {gain['high']:+.3f} nats a token on rows that no trial saw"
    verdict = "better than the defaults" if result["is_better"] else "not better than the defaults, which are kept"
    return f"the winner is {verdict} ({size}); {saved}; {place}"


def _trial(line: Mapping[str, Any]) -> str:
    loss = f"held-out loss {line['held_out_loss']:.3f}" if line["held_out_loss"] is not None else line["state"]
    return f"trial {line['trial']} of {line['of']}: {line['recipe']}: {loss}"


def _progress(line: Mapping[str, Any]) -> str:
    names = {"loss": "loss", "eval_loss": "held-out loss"}
    losses = ", ".join(f"{shown} {line[name]:.3f}" for name, shown in names.items() if name in line)
    left = f", about {line['left_s'] / 60:.0f} min left" if line.get("left_s") else ""
    return f"step {line['step']} of {line['of']}: {losses}{left}"


tune.add_command(distill)
