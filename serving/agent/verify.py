"""Decides whether a directory is a safe LoRA for the engine.

Nothing is imported or unpickled: the configuration is JSON, only the header of the weights is parsed, and their numbers
are checked bitwise.
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contract.model_names import may_name
from serving.agent import adapter_config, magnitude, weights
from serving.agent.adapter_config import CONFIG, AdapterConfig, Training
from serving.agent.base import Base
from serving.agent.errors import RefusedError
from serving.agent.magnitude import MAX_UPDATE
from serving.agent.weights import WEIGHTS, Tensor

FILES = (CONFIG, WEIGHTS)
# Relative difference of a magnitude from the norm that it began as: rounding to bfloat16 is below.
UNMOVED = 0.005

Pair = Mapping[str, Tensor]  # by side: A and B, and the magnitudes of a DoRA

# PEFT's tensor names, with or without its prefix.
_PREFIX = "base_model.model."
_LORA_MATRIX = re.compile(r"(?P<module>[A-Za-z0-9_.]{1,512})\.lora_(?P<side>[AB])\.weight")
_LORA_EMBEDDING = re.compile(r"(?P<module>[A-Za-z0-9_.]{1,512})\.lora_embedding_(?P<side>[AB])")
_MAGNITUDES = re.compile(r"(?P<module>[A-Za-z0-9_.]{1,512})\.lora_(?P<side>magnitude)_vector(\.weight)?")
# Copies of base weights that PEFT saves with an adapter of embeddings or head. They are ignored.
_COPIES = (".embed_tokens.base_layer.weight", "lm_head.base_layer.weight")


@dataclass(frozen=True)
class Rules:
    """The requirements for an adapter: its base, and the engine's maximum rank."""

    base: Base
    max_rank: int


@dataclass(frozen=True)
class Module:
    """`embeds`: the matrices belong to an embedding, with a transposed weight."""

    name: str
    pair: Pair
    training: Training
    embeds: bool

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the changed base weight, (outputs, inputs)."""
        shape = self.pair["B"].rows, self.pair["A"].columns
        return shape[::-1] if self.embeds else shape


def verify(directory: Path, rules: Rules) -> None:
    """Raises RefusedError with the first failing fact."""
    config = adapter_config.read(directory / CONFIG)
    if not rules.base.layers:
        _check_name(config.made_for, rules.base)
    if config.largest_rank > rules.max_rank:
        raise RefusedError(
            "RankTooHigh",
            f"rank {config.largest_rank} is above the base model's maxRank {rules.max_rank}; retrain, or raise maxRank",
        )
    tensors = weights.read(directory / WEIGHTS)
    modules = modules_of(tensors, config)
    for module in modules:
        _check_rank(module)
        _check_fit(module.name, module.shape, rules.base)
        _check_dora(module, rules.base)
    weights.check_finite(directory / WEIGHTS, tensors)
    _check_magnitudes(directory / WEIGHTS, modules, rules.base)


def made_for(directory: Path) -> str:
    """The base model named in a verified adapter's configuration."""
    return adapter_config.read(directory / CONFIG).made_for


def _check_name(made_for: str, base: Base) -> None:
    """Used where the base model's files cannot be read; otherwise shapes decide. The message shows no internal path."""
    if not may_name(made_for, (base.name, base.source)):
        raise RefusedError(
            "OtherBase",
            f"the adapter was made for {made_for!r}, which does not name this base model, {base.name}; its files "
            "cannot be read here to compare shapes. Correct base_model_name_or_path if it is the same model",
        )


def modules_of(tensors: Mapping[str, Tensor], config: AdapterConfig) -> list[Module]:
    """Raises RefusedError for tensors foreign to a LoRA."""
    pairs: dict[str, dict[str, Tensor]] = {}
    embeddings: set[str] = set()
    for name, tensor in tensors.items():
        short = name.removeprefix(_PREFIX)
        if short.endswith(_COPIES):
            continue
        match = _LORA_MATRIX.fullmatch(short) or _LORA_EMBEDDING.fullmatch(short) or _MAGNITUDES.fullmatch(short)
        if not match or tensor.is_vector != (match.re is _MAGNITUDES):
            raise RefusedError("TensorInvalid", f"tensor {name} is not a LoRA matrix")
        pair = pairs.setdefault(match["module"], {})
        if match["side"] in pair:
            raise RefusedError("TensorInvalid", f"module {match['module']} has two tensors for its {match['side']}")
        pair[match["side"]] = tensor
        embeddings |= {match["module"]} if match.re is _LORA_EMBEDDING else set()
    trainings = config.trainings(pairs)
    sides = {"A", "B", "magnitude"} if config.is_dora else {"A", "B"}
    return [
        Module(name, _whole(name, pair, sides), trainings[name], name in embeddings) for name, pair in pairs.items()
    ]


def _whole(module: str, pair: Pair, sides: Set[str]) -> Pair:
    if pair.keys() == sides:
        return pair
    if "magnitude" in pair and "magnitude" not in sides:
        raise RefusedError("ConfigInvalid", f"module {module} has magnitudes, as in a DoRA, and use_dora is not set")
    has, needs = (" and ".join(f"lora_{side}" for side in sorted(names)) for names in (pair, sides))
    raise RefusedError("ShapeInvalid", f"module {module} has {has}; {needs} are needed")


def _check_rank(module: Module) -> None:
    if not module.training.targeted:
        raise RefusedError("UnknownModule", f"module {module.name} is not among the adapter's own target_modules")
    a, b, rank = module.pair["A"], module.pair["B"], module.training.rank
    if (a.rows, b.columns) != (rank, rank):
        raise RefusedError(
            "ShapeInvalid",
            f"module {module.name} has rank {a.rows} in A and {b.columns} in B, its configuration says {rank}",
        )


def _check_magnitudes(path: Path, modules: Sequence[Module], base: Base) -> None:
    updates = [
        magnitude.check(
            module.name,
            weights.matrix(path, module.pair["A"]),
            weights.matrix(path, module.pair["B"]),
            module.training.scale,
            base.norm(module.name),
        )
        for module in modules
    ]
    moved = [_check_norms(path, module, base) for module in modules if "magnitude" in module.pair]
    if not any(updates) and not any(moved):
        raise RefusedError("NoEffect", "every update is zero, as in an untrained adapter; train it")


def _check_dora(module: Module, base: Base) -> None:
    """Its scales come from the weights of a linear layer, one for each output."""
    if module.name.endswith("lm_head") and "magnitude" in module.pair:
        raise RefusedError("FeatureUnsupported", f"DoRA of module {module.name}: the engine serves none of the head")
    magnitudes = module.pair.get("magnitude")
    if magnitudes is None:
        return
    if module.embeds or base.is_quantised(module.name):
        kind = "an embedding" if module.embeds else "quantised in the base model"
        raise RefusedError("FeatureUnsupported", f"DoRA of module {module.name}, which is {kind}; train a plain LoRA")
    if magnitudes.rows != module.shape[0]:
        raise RefusedError(
            "ShapeInvalid", f"module {module.name} has {magnitudes.rows} magnitudes for {module.shape[0]} outputs"
        )


def _check_norms(path: Path, module: Module, base: Base) -> bool:
    """Whether the magnitudes are others than the norms of the base's weights, as in a trained DoRA. Raises RefusedError
    if they are far larger: they scale the outputs."""
    magnitudes = np.abs(weights.matrix(path, module.pair["magnitude"])[:, 0])
    norms = base.row_norms(module.name)
    if norms is None:
        return True
    if np.any(magnitudes > MAX_UPDATE * norms):
        raise RefusedError(
            "WeightsTooLarge",
            f"module {module.name} has a magnitude over {MAX_UPDATE:g} times the norm of the base's weights; "
            "train with a lower rate",
        )
    return bool(np.max(np.abs(magnitudes - norms) / np.maximum(norms, 1e-6)) > UNMOVED)


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
