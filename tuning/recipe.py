"""The settings of a training run. Published measurements agree on the defaults.

All linear layers, ten times the rate of full tuning (https://thinkingmachines.ai/blog/lora); rank 16 and alpha twice
the rank (LLaMA-Factory).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

Method = Literal["lora", "rslora"]


@dataclass(frozen=True)
class Recipe:
    """`patience` is the number of looks at the held-out rows without a better loss before training stops."""

    method: Method = "lora"
    rank: int = 16
    alpha: int = 32
    rate: float = 2e-4
    epochs: int = 3
    batch: int = 8  # rows of a step
    max_length: int = 1024  # tokens of a row
    patience: int = 3
    seed: int = 0

    def run_id(self, data: str, base: str) -> str:
        """Identifies a run by its recipe and the digests of its data and its base, which decide the result."""
        text = json.dumps([asdict(self), data, base], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
