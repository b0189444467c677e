"""Common parts of the trainer's commands: their arguments, and how they end."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tuning.rendering import BaseUnreadableError
from tuning.trainer.errors import TrainingError
from tuning.trainer.output import say, silence


def parser(prog: str, description: str | None) -> argparse.ArgumentParser:
    """With --data, --base, --out and --recipe."""
    arguments = argparse.ArgumentParser(prog=prog, description=description)
    for name in ("data", "base", "out"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    arguments.add_argument("--recipe", type=json.loads, default={}, help="the fields of a recipe, as JSON")
    return arguments


def ended(work: Callable[[], Mapping[str, Any]]) -> int:
    """Prints the line from `work`, or its fault. Returns the exit status."""
    silence()
    try:
        line = work()
    except (TrainingError, BaseUnreadableError, OSError) as error:
        say({"error": str(error)})
        return 1
    say(line)
    return 0
