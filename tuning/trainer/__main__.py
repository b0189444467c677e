"""`python -m tuning.trainer`: progress and the end as lines of JSON on standard output."""

import argparse
import json
import sys
from pathlib import Path

from tuning.recipe import Recipe
from tuning.rendering import BaseUnreadableError
from tuning.trainer.errors import TrainingError
from tuning.trainer.output import say, silence
from tuning.trainer.run import Order, train


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tuning.trainer", description=__doc__)
    for name in ("data", "base", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="the folder of an adapter to go on from")
    parser.add_argument("--recipe", type=json.loads, default={}, help="the fields of a recipe, as JSON")
    given = parser.parse_args()
    silence()
    try:
        folder = train(Order(given.data, given.base, given.out, Recipe(**given.recipe), given.start), say)
    except (TrainingError, BaseUnreadableError, OSError) as error:
        say({"error": str(error)})
        return 1
    say({"adapter": str(folder)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
