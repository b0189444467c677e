"""A search on the demo's base model, whose defaults are too slow for it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.bare_engine import HERE
from benchmarks.tuning.trained import DEMO, RECIPE
from operators.settings import Settings, inherited_environment

MINUTES = 60


def search(data: Path, out: Path, trials: int) -> Mapping[str, Any]:
    """The result of the search. Raises CalledProcessError."""
    recipe = RECIPE | {"rate": 2e-4}
    words = ["--data", data, "--base", DEMO, "--out", out, "--recipe", json.dumps(recipe), "--trials", trials,
             "--minutes", MINUTES, "--most-rank", 16]  # fmt: skip
    command = [str(Settings().engine_python), "-m", "tuning.trainer.search", *map(str, words)]
    environment = inherited_environment() | {"HF_HUB_OFFLINE": "1"}
    subprocess.run(command, check=True, stdout=sys.stderr, cwd=HERE, env=environment)
    result: Mapping[str, Any] = json.loads((out / "search.json").read_text())
    return result
