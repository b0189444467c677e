"""What the small artifacts of tests must fit: a base model with one layer of ones."""

import atexit
import shutil
import struct
import tempfile
from pathlib import Path

from benchmarks.hostile import SMALL, matrix, weights
from serving.agent import base
from serving.agent.base import Base
from serving.agent.rules import PendingRules
from serving.agent.verify import Rules


def _base() -> Base:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    count = SMALL.outputs * SMALL.inputs
    header = {f"{SMALL.module}.weight": matrix(SMALL.outputs, SMALL.inputs, 0)}
    (folder / "model.safetensors").write_bytes(weights(header, struct.pack(f"<{count}f", *[1.0] * count)))
    return Base("base", "org/base", base.read("base", str(folder)).layers)


RULES = Rules(_base(), max_rank=16)
UNREADABLE = Rules(Base("base", "org/base"), max_rank=16)


def pending_rules() -> PendingRules:
    """Of a base model that has been read."""
    rules = PendingRules("base", "org/base", max_rank=16)
    rules.set(RULES)
    return rules
