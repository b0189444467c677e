"""Is this directory a LoRA that the engine can be trusted with?

Nothing is imported and nothing is unpickled: the configuration is JSON, and of the weights only the safetensors
header is read (https://github.com/huggingface/safetensors#format).
"""

import json
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from serving.agent.errors import RefusedError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
FILES = (CONFIG, WEIGHTS)

MAX_CONFIG_BYTES = 1024 * 1024
MAX_HEADER_BYTES = 16 * 1024 * 1024
BYTES_PER_ITEM = {"F32": 4, "F16": 2, "BF16": 2}


@dataclass(frozen=True)
class Rules:
    """What an adapter must fit: the base it was made for, under any of its names, and the engine's rank."""

    base_names: frozenset[str]
    max_rank: int


def verify(directory: Path, rules: Rules) -> None:
    """Raises RefusedError with the first fact that fails."""
    config = _read_config(directory / CONFIG)
    _check_config(config, rules)
    tensors = _read_header(directory / WEIGHTS)
    _check_tensors(tensors, (directory / WEIGHTS).stat().st_size)


def missing_file(directory: Path) -> RefusedError | None:
    """Why this directory can be no adapter at all, judged by the names in it."""
    if not directory.is_dir():
        return RefusedError("SourceMissing", f"{directory} is not a directory; correct spec.source")
    names = {path.name for path in directory.iterdir()}
    if WEIGHTS not in names and "adapter_model.bin" in names:
        return RefusedError("Pickle", "the weights are a pickle (adapter_model.bin); save them as safetensors")
    absent = [name for name in FILES if name not in names]
    if absent:
        return RefusedError(
            "FileMissing", f"{directory.name} holds no {' and no '.join(absent)}; a PEFT adapter has both"
        )
    return None


def _read_config(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise RefusedError("ConfigInvalid", f"{CONFIG} is larger than {MAX_CONFIG_BYTES} bytes")
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RefusedError("ConfigInvalid", f"{CONFIG} is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise RefusedError("ConfigInvalid", f"{CONFIG} is not a JSON object")
    return config


def _check_config(config: dict[str, Any], rules: Rules) -> None:
    if config.get("peft_type") != "LORA":
        raise RefusedError("NotLora", f"peft_type is {config.get('peft_type')!r}; only LORA is served")
    _check_base(config.get("base_model_name_or_path"), rules.base_names)
    rank = max([_rank(config), *_pattern_ranks(config)])
    if rank > rules.max_rank:
        raise RefusedError(
            "RankTooHigh", f"rank {rank} is above the base model's maxRank {rules.max_rank}; retrain, or raise maxRank"
        )
    refused = [name for name in ("use_dora", "modules_to_save", "lora_bias") if config.get(name)]
    if config.get("bias", "none") != "none":
        refused.append("bias")
    if refused:
        raise RefusedError(
            "FeatureUnsupported", f"{', '.join(refused)}: the engine does not serve this; retrain without"
        )


def _check_base(base: object, names: frozenset[str]) -> None:
    if isinstance(base, str) and not names.isdisjoint({base, base.rstrip("/").rpartition("/")[2]}):
        return
    raise RefusedError(
        "OtherBase", f"the adapter was made for {base!r}, this base model is {' or '.join(sorted(names))}"
    )


def _rank(config: dict[str, Any]) -> int:
    rank = config.get("r")
    if not isinstance(rank, int) or isinstance(rank, bool) or rank < 1:
        raise RefusedError("ConfigInvalid", f"r is {rank!r}; a rank is a whole number from 1")
    return rank


def _pattern_ranks(config: dict[str, Any]) -> list[int]:
    pattern = config.get("rank_pattern") or {}
    if not isinstance(pattern, dict) or not all(isinstance(rank, int) for rank in pattern.values()):
        raise RefusedError("ConfigInvalid", "rank_pattern is not a table of whole numbers")
    return list(pattern.values())


def _read_header(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise RefusedError(
                "NotSafetensors", f"{WEIGHTS} has no safetensors header (length {length} of {size} bytes)"
            )
        raw = file.read(length)
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise RefusedError("NotSafetensors", f"the header of {WEIGHTS} is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise RefusedError("NotSafetensors", f"the header of {WEIGHTS} is not a table of tensors")
    header.pop("__metadata__", None)
    return {"tensors": header, "start": 8 + length}


def _check_tensors(header: dict[str, Any], size: int) -> None:
    tensors = header["tensors"]
    if not tensors:
        raise RefusedError("NotSafetensors", f"{WEIGHTS} holds no tensors")
    spans = sorted(_span(name, tensor) for name, tensor in tensors.items())
    expected = 0
    for begin, end, name in spans:
        if begin != expected:
            raise RefusedError("OffsetsInvalid", f"tensor {name} begins at {begin}, expected {expected}")
        expected = end
    if header["start"] + expected != size:
        raise RefusedError(
            "OffsetsInvalid", f"{WEIGHTS} has {size} bytes, its header describes {header['start'] + expected}"
        )


def _span(name: str, tensor: object) -> tuple[int, int, str]:
    match tensor:
        case {"dtype": str(dtype), "shape": [int(rows), int(columns)], "data_offsets": [int(begin), int(end)]}:
            pass
        case _:
            raise RefusedError("TensorInvalid", f"tensor {name} is not a matrix with dtype, shape and data_offsets")
    if not name.endswith((".lora_A.weight", ".lora_B.weight")):
        raise RefusedError("TensorInvalid", f"tensor {name} is no LoRA matrix")
    if dtype not in BYTES_PER_ITEM:
        raise RefusedError("TensorInvalid", f"tensor {name} has dtype {dtype}; use {', '.join(BYTES_PER_ITEM)}")
    if min(rows, columns) < 1 or end - begin != prod((rows, columns)) * BYTES_PER_ITEM[dtype]:
        raise RefusedError(
            "TensorInvalid", f"tensor {name} of shape {rows}x{columns} does not fill its {end - begin} bytes"
        )
    return begin, end, name
