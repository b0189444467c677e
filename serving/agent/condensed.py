"""Condenses a configuration with many patterns for the engine: the same ranks and scales, in a few patterns.

While loading an adapter, the engine matches every pattern against every module's name, and answers no request. Its
library caches 500 compiled patterns; beyond that it recompiles them. A pattern for each matrix of 128 layers takes over
a minute, a pattern for each value a fraction of a second.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from serving.agent import adapter_config, weights
from serving.agent.adapter_config import CONFIG
from serving.agent.verify import modules_of
from serving.agent.weights import WEIGHTS

FOLDER = "engine"
# Up to this many patterns are matched in a few milliseconds.
FEW = 32

Number = TypeVar("Number", int, float)


def write(directory: Path) -> None:
    """Writes the condensed form beside a verified adapter with many patterns; replaces an earlier one."""
    target = directory / FOLDER
    shutil.rmtree(target, ignore_errors=True)
    config = adapter_config.read(directory / CONFIG)
    if len(config.rank_pattern) + len(config.alpha_pattern) <= FEW:
        return
    trainings = {module.name: module.training for module in modules_of(weights.read(directory / WEIGHTS), config)}
    patterns = {
        "rank_pattern": by_value({name: training.rank for name, training in trainings.items()}),
        "alpha_pattern": by_value({name: training.alpha for name, training in trainings.items()}),
    }
    target.mkdir()
    raw = json.loads((directory / CONFIG).read_bytes())
    (target / CONFIG).write_text(json.dumps({**raw, **patterns}))
    os.link(directory / WEIGHTS, target / WEIGHTS)


def by_value(values: Mapping[str, Number]) -> dict[str, Number]:
    """One pattern for each value, matching all names with that value."""
    names: dict[Number, list[str]] = {}
    for name, value in values.items():
        names.setdefault(value, []).append(name.replace(".", r"\."))
    return {f"^(?:{'|'.join(group)})": value for value, group in names.items()}


def path(directory: Path) -> Path:
    """The path that the engine loads: the condensed form if there is one."""
    condensed = directory / FOLDER
    return condensed if condensed.is_dir() else directory
