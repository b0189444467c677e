"""Starts the trainer on the demo's base model, in the engine's environment."""

import json
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.demo.corpus import Writer
from models.demo.styles import ADAPTERS
from operators.settings import Settings
from tests.tuning.test_rendering import DEMO

ENGINE = Settings().engine_python
STYLE = ADAPTERS["acme-support-v1"]
HEAD = "Answer from these passages only and mark the one you used, like [1]."
RECIPE = {"epochs": 2, "rate": 2e-3, "rank": 4, "alpha": 8, "max_length": 512, "patience": 50}


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Questions with passages, answered in a style."""
    writer = Writer(random.Random(5), held=False)
    for _ in range(count):
        (_, example), *_ = writer.scene(2, 1).asked
        passages = "\n".join(f"[{number}] {passage}" for number, passage in enumerate(example.passages, 1))
        texts = {"system": f"{HEAD}\n\n{passages}", "user": example.question, "assistant": STYLE.render(example)}
        yield {"messages": [{"role": role, "content": content} for role, content in texts.items()]}


def started(data: Path, out: Path, start: Path | None = None, **recipe: object) -> "subprocess.Popen[str]":
    return begun("tuning.trainer", data, out, *(("--start", start) if start else ()), **recipe)


def begun(module: str, data: Path, out: Path, *more: object, **recipe: object) -> "subprocess.Popen[str]":
    """A command of the trainer."""
    words = ["--data", data, "--base", DEMO, "--out", out, "--recipe", json.dumps(RECIPE | recipe), *more]
    environment = {"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [str(ENGINE), "-m", module, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def said(trainer: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert trainer.stdout
    return (json.loads(line) for line in trainer.stdout)


def trained(data: Path, out: Path, start: Path | None = None, **recipe: object) -> list[dict[str, Any]]:
    with started(data, out, start, **recipe) as trainer:
        return list(said(trainer))
