"""T4: other wordings are kept where they help, and left out where they do not.

The questions of a set have typing errors, as a tenant's own have. Rows with further typing errors should help there,
and rows in an absurd template should not.
"""

import json
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.bare_engine import HERE
from benchmarks.tuning.style import STYLE, examples
from benchmarks.tuning.trained import command, environment
from contract.fine_tune import Augmentation
from examples.demo.training import row
from tuning.augmentation import augmented
from tuning.formats import row_of
from tuning.row import Row

SEED = 20_261_201
_NOISE = Augmentation(noise=0.5)
HELPS = {"noise": 0.5, "copies": 3, "templates": []}
USELESS = {"noise": 0.0, "copies": 3, "templates": ["zq {question} qz qz qz zq qz zq qz zq qz zq"]}
_EPOCHS = 6  # so many that the same errors are learned by heart


def gains(folder: Path, count: int) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The results of both on the same rows."""
    folder.mkdir()
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(each) + "\n" for each in _rows(count)))
    helps, useless = (_gain(data, folder / name, how) for name, how in (("helps", HELPS), ("useless", USELESS)))
    return helps, useless


def _rows(count: int) -> Sequence[Mapping[str, Any]]:
    plain = [row_of(number, row(each, STYLE)) for number, each in enumerate(examples(count, SEED), 1)]
    chance = random.Random(SEED)
    rows = [each for each in plain if isinstance(each, Row)]
    noisy = [next(iter(augmented([each], [], _NOISE, chance.randrange(1 << 30))), each) for each in rows]
    return [_as_json(replace(each, line=number)) for number, each in enumerate(noisy, 1)]


def _as_json(each: Row) -> Mapping[str, Any]:
    prompt = [{"role": message.role, "content": message.content} for message in each.prompt]
    return {"messages": [*prompt, {"role": "assistant", "content": each.answer}]}


def _gain(data: Path, out: Path, how: Mapping[str, Any]) -> Mapping[str, Any]:
    words = command("tuning.trainer.augment", data, out, "--augmentation", json.dumps(how), epochs=_EPOCHS, patience=50)
    subprocess.run(words, check=True, stdout=sys.stderr, cwd=HERE, env=environment())
    result: Mapping[str, Any] = json.loads((out / "augmentation.json").read_text())
    return result
