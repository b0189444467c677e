"""Reads `adapter_config.json`, and accepts only adapters that the engine can serve as they were trained.

https://huggingface.co/docs/peft/package_reference/lora#peft.LoraConfig; vLLM reads the fields in
`vllm/lora/peft_helper.py`.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.agent.errors import RefusedError
from serving.agent.patterns import MAX_NAMES, Matcher, compiled

CONFIG = "adapter_config.json"
MAX_BYTES = 1024 * 1024
# Finite weights must stay finite after scaling.
MAX_ALPHA = 1e6
# Fields that the engine does not support. The remedy is always a plain LoRA.
_UNSUPPORTED = ("modules_to_save", "lora_bias", "layer_replication", "alora_invocation_tokens",
                "use_bdlora", "use_qalora", "trainable_token_indices", "target_parameters")  # fmt: skip
ALL_LINEAR = "all-linear"
# These only set initial weights for training; other values also change the base's weights, but not the engine's copy.
_PLAIN_STARTS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")


@dataclass(frozen=True)
class Training:
    """How one module was trained. The update of its weight is `scale` times B A."""

    rank: int
    alpha: float
    scale: float
    targeted: bool


@dataclass(frozen=True)
class AdapterConfig:
    """`targets` are endings of module names, or one regular expression for whole names, or ALL_LINEAR. `made_for` is
    the trainer's name for the base model. A DoRA has magnitudes beside its matrices."""

    made_for: str
    rank: int
    rank_pattern: Mapping[str, int]
    alpha: float
    alpha_pattern: Mapping[str, float]
    rank_stabilised: bool
    targets: frozenset[str] | str
    is_dora: bool

    @property
    def largest_rank(self) -> int:
        return max((self.rank, *self.rank_pattern.values()))

    def trainings(self, modules: Collection[str]) -> Mapping[str, Training]:
        """Each module's training. Raises RefusedError if the patterns take too long to match."""
        matcher = Matcher()
        ranks = matcher.by_module(self.rank_pattern, modules, self.rank)
        alphas = matcher.by_module(self.alpha_pattern, modules, self.alpha)
        return {m: self._training(ranks[m], alphas[m], targeted=self._targets(m, matcher)) for m in modules}

    def _training(self, rank: int, alpha: float, *, targeted: bool) -> Training:
        return Training(rank, alpha, alpha / self._divisor(rank), targeted)

    def _divisor(self, rank: int) -> float:
        return rank**0.5 if self.rank_stabilised else rank

    def _targets(self, module: str, matcher: Matcher) -> bool:
        if isinstance(self.targets, str):
            return self.targets == ALL_LINEAR or matcher.covers(self.targets, module)
        parts = module.split(".")
        return any(".".join(parts[start:]) in self.targets for start in range(len(parts)))


def read(path: Path) -> AdapterConfig:
    """Raises RefusedError for the first requirement not met."""
    config = _load(path)
    if (kind := config.get("peft_type", "LORA")) != "LORA":  # the engine does not need the field
        raise RefusedError("NotLora", f"peft_type is {kind!r}; only LORA adapters are served")
    _check_features(config)
    _check_alpha(config)
    return AdapterConfig(
        made_for=_made_for(config.get("base_model_name_or_path")),
        rank=_rank(config.get("r"), "r"),
        rank_pattern=_rank_pattern(config),
        alpha=config["lora_alpha"],
        alpha_pattern=config.get("alpha_pattern") or {},
        rank_stabilised=bool(config.get("use_rslora")),
        targets=_targets(config.get("target_modules")),
        is_dora=_is_dora(config.get("use_dora")),
    )


def _load(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_BYTES:
        raise RefusedError("ConfigInvalid", f"{CONFIG} is larger than {MAX_BYTES} bytes")
    try:
        config = json.loads(path.read_bytes().decode())
    except (ValueError, RecursionError) as error:
        raise RefusedError("ConfigInvalid", f"{CONFIG} is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise RefusedError("ConfigInvalid", f"{CONFIG} is not a JSON object")
    return config


def _check_features(config: dict[str, Any]) -> None:
    refused = [name for name in _UNSUPPORTED if config.get(name)]
    if config.get("bias", "none") != "none":
        refused.append("bias")
    start = config.get("init_lora_weights", True)
    if isinstance(start, str) and start.lower() not in _PLAIN_STARTS:
        refused.append(f"init_lora_weights={start!r}")
    if refused:
        raise RefusedError(
            "FeatureUnsupported", f"{', '.join(refused)}: the engine does not serve this; train a plain LoRA without"
        )


def _is_dora(value: object) -> bool:
    if value is not None and not isinstance(value, bool):
        raise RefusedError("ConfigInvalid", f"use_dora is {value!r}; it is true or false")
    return bool(value)


def _check_alpha(config: dict[str, Any]) -> None:
    pattern = config.get("alpha_pattern") or {}
    if not isinstance(pattern, dict) or len(pattern) > MAX_NAMES:
        raise RefusedError("ConfigInvalid", f"alpha_pattern is not a table of up to {MAX_NAMES} numbers")
    for name, value in {"lora_alpha": config.get("lora_alpha"), **pattern}.items():
        _check_key(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_ALPHA:
            raise RefusedError("ConfigInvalid", f"{name} is not a number above 0 and up to {MAX_ALPHA:g}")


def _rank(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise RefusedError("ConfigInvalid", f"{name} is {value!r}; a rank is a whole number from 1")
    return value


def _rank_pattern(config: dict[str, Any]) -> dict[str, int]:
    pattern = config.get("rank_pattern") or {}
    if not isinstance(pattern, dict) or len(pattern) > MAX_NAMES:
        raise RefusedError("ConfigInvalid", f"rank_pattern is not a table of up to {MAX_NAMES} whole numbers")
    return {_check_key(name): _rank(value, name) for name, value in pattern.items()}


def _check_key(name: str) -> str:
    compiled(name)
    return name


def _made_for(value: object) -> str:
    """A hint for people; only checked if the base model's shapes cannot be read for a comparison."""
    return value[:512] if isinstance(value, str) else ""


def _targets(value: object) -> frozenset[str] | str:
    if isinstance(value, str):
        return value if value == ALL_LINEAR else compiled(value).pattern
    if isinstance(value, list) and 0 < len(value) <= MAX_NAMES and all(isinstance(item, str) for item in value):
        return frozenset(value)
    raise RefusedError("ConfigInvalid", f"target_modules is neither a list of up to {MAX_NAMES} names nor a pattern")
