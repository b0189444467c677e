"""`adapter_config.json`: which adapters the engine can serve as they were trained.

https://huggingface.co/docs/peft/package_reference/lora#peft.LoraConfig; what vLLM does with each field is in its
`vllm/lora/peft_helper.py`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from serving.agent.errors import RefusedError

CONFIG = "adapter_config.json"
Number = TypeVar("Number", int, float)
MAX_BYTES = 1024 * 1024
# Weights that are finite must stay so when they are scaled.
MAX_ALPHA = 1e6
# Of patterns and of targets: each is held against each module.
MAX_NAMES = 256

# PEFT and the engine both run a pattern's keys as regular expressions, so only those without repetition pass: one
# like (a+)+$ would keep either of them busy for ever.
_PATTERN_KEY = re.compile(r"[A-Za-z0-9_.\-^$\\]{1,256}")
# Each changes what the adapter means, and the engine does not do it. The remedy is the same: train a plain LoRA.
_UNSUPPORTED = ("use_dora", "modules_to_save", "lora_bias", "layer_replication", "alora_invocation_tokens",
                "use_bdlora", "use_qalora", "trainable_token_indices", "target_parameters")  # fmt: skip
# These only set the first weights of a training; others change the base's weights, which the engine does not have.
_PLAIN_STARTS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")


@dataclass(frozen=True)
class AdapterConfig:
    """`targets` are endings of module names, None where the adapter gives a pattern of its own."""

    base: object
    rank: int
    rank_pattern: Mapping[str, int]
    alpha: float
    alpha_pattern: Mapping[str, float]
    rank_stabilised: bool
    targets: frozenset[str] | None

    @property
    def largest_rank(self) -> int:
        return max((self.rank, *self.rank_pattern.values()))

    def rank_of(self, module: str) -> int:
        return _first_match(self.rank_pattern, module, self.rank)

    def scale_of(self, module: str) -> float:
        """What B A is multiplied by."""
        rank = self.rank_of(module)
        return _first_match(self.alpha_pattern, module, self.alpha) / (rank**0.5 if self.rank_stabilised else rank)

    def targets_module(self, module: str) -> bool:
        return self.targets is None or any(module == end or module.endswith(f".{end}") for end in self.targets)


def _first_match(pattern: Mapping[str, Number], module: str, default: Number) -> Number:
    """PEFT's rule: the first key that ends the module's name at a dot."""
    matches = (value for key, value in pattern.items() if re.match(rf"(.*\.)?({key})$", module))
    return next(matches, default)


def read(path: Path) -> AdapterConfig:
    """Raises RefusedError with the first fact that fails."""
    config = _load(path)
    if config.get("peft_type") != "LORA":
        raise RefusedError("NotLora", f"peft_type is {config.get('peft_type')!r}; only LORA adapters are served")
    _check_features(config)
    _check_alpha(config)
    return AdapterConfig(
        base=config.get("base_model_name_or_path"),
        rank=_rank(config.get("r"), "r"),
        rank_pattern=_rank_pattern(config),
        alpha=config["lora_alpha"],
        alpha_pattern=config.get("alpha_pattern") or {},
        rank_stabilised=bool(config.get("use_rslora")),
        targets=_targets(config.get("target_modules")),
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
    try:
        if _PATTERN_KEY.fullmatch(name) and re.compile(name):
            return name
    except re.error:
        pass
    raise RefusedError("ConfigInvalid", f"the pattern {name!r} is not a module's name; repetition is not served")


def _targets(value: object) -> frozenset[str] | None:
    if isinstance(value, str):
        return None
    if isinstance(value, list) and 0 < len(value) <= MAX_NAMES and all(isinstance(item, str) for item in value):
        return frozenset(value)
    raise RefusedError("ConfigInvalid", f"target_modules is neither a list of up to {MAX_NAMES} names nor a pattern")
