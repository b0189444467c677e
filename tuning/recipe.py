"""The settings of a training run. Published measurements agree on the defaults.

All linear layers, ten times the rate of full tuning (https://thinkingmachines.ai/blog/lora); rank 16 and alpha twice
the rank (LLaMA-Factory).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal, get_args

# With q, the base's linear weights are held in 4 bits (NF4) while the adapter is trained.
Method = Literal["lora", "rslora", "dora", "qlora", "qdora"]
METHODS: tuple[Method, ...] = get_args(Method)
Targets = Literal["all", "attention", "mlp"]  # linear layers that get matrices
TARGETS: tuple[Targets, ...] = get_args(Targets)
NOT_FULL = (
    "full fine-tuning makes a base model of its own, which takes a whole engine and is not swapped beside others; "
    "train an adapter of all linear layers: it learns as much from data of this size"
)


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
    patience: int = 6  # while the rate is high the loss goes up and down; 3 ended runs before their best
    seed: int = 0
    targets: Targets = "all"

    @property
    def is_quantised(self) -> bool:
        return self.method in ("qlora", "qdora")

    @property
    def is_dora(self) -> bool:
        return self.method in ("dora", "qdora")

    def run_id(self, *inputs: str) -> str:
        """Identifies a run by its recipe and the digests of its inputs, which decide the result."""
        text = json.dumps([asdict(self), *inputs], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
