"""Adapters of finite but extreme weights, as a search over layers, ranks and magnitudes makes them."""

import json
import random
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serving.agent.adapter_config import CONFIG
from serving.agent.base import Base
from serving.agent.weights import WEIGHTS

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
# Powers of ten of A and of B: up to the largest bfloat16.
LARGEST = 38.4
SERVED = 1.0


@dataclass(frozen=True)
class Extreme:
    """`a` and `b` are the largest absolute values of the two factors, `alpha` what they are scaled by, times rank."""

    modules: tuple[str, ...]
    rank: int
    a: float
    b: float
    alpha: float
    seed: int

    def write(self, directory: Path, base: Base, name: str) -> Path:
        directory.mkdir(parents=True)
        rng = np.random.default_rng(self.seed)
        header, data, at = {}, b"", 0
        for module in self.modules:
            outputs, inputs = base.shape(module) or (0, 0)
            for side, shape, size in (("A", (self.rank, inputs), self.a), ("B", (outputs, self.rank), self.b)):
                raw = _bfloat16(rng.uniform(-1, 1, shape) * size)
                entry = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + len(raw)]}
                header[f"base_model.model.{module}.lora_{side}.weight"] = entry
                data, at = data + raw, at + len(raw)
        text = json.dumps(header).encode()
        (directory / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + data)
        targets = sorted({module.rpartition(".")[2] for module in self.modules})
        config = {"peft_type": "LORA", "base_model_name_or_path": name, "r": self.rank, "lora_alpha": self.alpha,
                  "target_modules": targets}  # fmt: skip
        (directory / CONFIG).write_text(json.dumps(config))
        return directory


def projections(base: Base) -> tuple[str, ...]:
    return tuple(sorted(module for module in base.layers if module.rpartition(".")[2] in PROJECTIONS))


def search(base: Base, rng: random.Random) -> Extreme:
    """Some layers, at magnitudes from those of real adapters to the largest finite ones, or to the largest served."""
    modules = projections(base)
    rank = rng.choice((1, 2, 8, 16))
    largest = rng.choice((LARGEST, SERVED))
    return Extreme(
        modules=tuple(rng.sample(modules, rng.randint(1, len(modules)))),
        rank=rank,
        a=10 ** rng.uniform(-2, largest),
        b=10 ** rng.uniform(-2, largest),
        alpha=rank * rng.choice((0.5, 1, 2, 16)),
        seed=rng.randrange(2**32),
    )


def _bfloat16(numbers: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> bytes:
    """Cut off, not rounded: nothing becomes infinite."""
    return (numbers.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
