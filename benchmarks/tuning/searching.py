"""A search on the demo's base model, whose defaults are too slow for it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.bare_engine import HERE
from benchmarks.tuning.trained import command, environment

MINUTES = 60


def search(data: Path, out: Path, trials: int) -> Mapping[str, Any]:
    """The result of the search. Raises CalledProcessError."""
    budget = ("--trials", trials, "--minutes", MINUTES, "--most-rank", 16)
    words = command("tuning.trainer.search", data, out, *budget, rate=2e-4)
    subprocess.run(words, check=True, stdout=sys.stderr, cwd=HERE, env=environment())
    result: Mapping[str, Any] = json.loads((out / "search.json").read_text())
    return result
