"""Is this directory a LoRA that the engine can be trusted with?

Nothing is imported and nothing is unpickled: the configuration is JSON, of the weights the header is read, and the
numbers are looked at as bits.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.agent import adapter_config, magnitude, weights
from serving.agent.adapter_config import CONFIG, AdapterConfig
from serving.agent.base import Base
from serving.agent.errors import RefusedError
from serving.agent.weights import WEIGHTS, Tensor

FILES = (CONFIG, WEIGHTS)

Pair = Mapping[str, Tensor]  # by side: A and B

_LORA_MATRIX = re.compile(r"base_model\.model\.(?P<module>[A-Za-z0-9_.]{1,512})\.lora_(?P<side>[AB])\.weight")


@dataclass(frozen=True)
class Rules:
    """What an adapter must fit: its base, and the rank that the engine has room for."""

    base: Base
    max_rank: int


def verify(directory: Path, rules: Rules) -> None:
    """Raises RefusedError with the first fact that fails."""
    config = adapter_config.read(directory / CONFIG)
    _check_base(config.base, rules.base.names)
    if config.largest_rank > rules.max_rank:
        raise RefusedError(
            "RankTooHigh",
            f"rank {config.largest_rank} is above the base model's maxRank {rules.max_rank}; retrain, or raise maxRank",
        )
    tensors = weights.read(directory / WEIGHTS)
    pairs = _pairs(tensors)
    for module, pair in pairs.items():
        _check_module(module, pair, config, rules.base)
    weights.check_finite(directory / WEIGHTS, tensors)
    _check_magnitudes(directory / WEIGHTS, pairs, config, rules.base)


def _check_base(base: object, names: frozenset[str]) -> None:
    if isinstance(base, str) and not names.isdisjoint({base, base.rstrip("/").rpartition("/")[2]}):
        return
    raise RefusedError(
        "OtherBase", f"the adapter was made for {base!r}, this base model is {' or '.join(sorted(names))}"
    )


def _pairs(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    pairs: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        found = _LORA_MATRIX.fullmatch(name)
        if not found:
            raise RefusedError("TensorInvalid", f"tensor {name} is no LoRA matrix")
        pairs.setdefault(found["module"], {})[found["side"]] = tensor
    return pairs


def _check_module(module: str, pair: Pair, config: AdapterConfig, base: Base) -> None:
    if len(pair) != 2:
        raise RefusedError(
            "ShapeInvalid", f"module {module} has lora_{next(iter(pair))} alone; both A and B are needed"
        )
    if not config.targets_module(module):
        raise RefusedError("UnknownModule", f"module {module} is not among the adapter's own target_modules")
    a, b = pair["A"], pair["B"]
    rank = config.rank_of(module)
    if (a.rows, b.columns) != (rank, rank):
        raise RefusedError(
            "ShapeInvalid",
            f"module {module} has rank {a.rows} in A and {b.columns} in B, its configuration says {rank}",
        )
    _check_fit(module, (b.rows, a.columns), base)


def _check_magnitudes(path: Path, pairs: Mapping[str, Pair], config: AdapterConfig, base: Base) -> None:
    updates = [
        magnitude.check(
            module,
            weights.matrix(path, pair["A"]),
            weights.matrix(path, pair["B"]),
            config.scale_of(module),
            base.norm(module),
        )
        for module, pair in pairs.items()
    ]
    if not any(updates):
        raise RefusedError("NoEffect", "every update is zero, as before a training's first step; train the adapter")


def _check_fit(module: str, shape: tuple[int, int], base: Base) -> None:
    if not base.layers:
        return
    expected = base.shape(module)
    if expected is None:
        raise RefusedError("UnknownModule", f"the base model has no linear layer {module}; retrain on this base")
    if shape != expected:
        raise RefusedError(
            "ShapeInvalid",
            f"module {module} maps {shape[1]} to {shape[0]}, the base model {expected[1]} to {expected[0]}",
        )
