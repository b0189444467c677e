"""Kills runs at random steps, and compares the resumed ones with an uninterrupted one."""

import hashlib
import json
import random
import signal
import subprocess
from pathlib import Path

from benchmarks.bare_engine import HERE
from benchmarks.tuning.trained import command, environment, train

RECIPE = {"rank": 4, "alpha": 8, "epochs": 1, "patience": 100, "max_length": 512}


def kills(data: Path, folder: Path, count: int) -> tuple[int, float]:
    """How many of `count` resumed runs have another adapter than the uninterrupted one, and the largest difference of
    the held-out loss."""
    whole = train(data, folder / "whole", **RECIPE)
    rng = random.Random(7)
    different, farthest = 0, 0.0
    for number in range(count):
        out = folder / f"killed-{number}"
        _killed(data, out, rng.randrange(1, whole.lineage["steps"]))
        resumed = train(data, out, **RECIPE)
        different += _digest(out) != _digest(whole.folder)
        farthest = max(farthest, abs(resumed.lineage["held_out_loss"] - whole.lineage["held_out_loss"]))
    return different, farthest


def _killed(data: Path, out: Path, step: int) -> None:
    words = command("tuning.trainer", data, out, **RECIPE)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=HERE, env=environment()) as trainer:
        for line in trainer.stdout or ():
            if line.startswith("{") and json.loads(line).get("step", 0) >= step:
                trainer.send_signal(signal.SIGKILL)
                break


def _digest(adapter: Path) -> str:
    return hashlib.sha256((adapter / "adapter_model.safetensors").read_bytes()).hexdigest()
