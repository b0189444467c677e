"""Adapters for tests: a small one that is right, and the means to make it wrong in one place."""

import json
import struct
from pathlib import Path
from typing import Any

from serving.agent.verify import CONFIG, WEIGHTS, Rules

RULES = Rules(base_names=frozenset({"base", "org/base"}), max_rank=16)

A = "base_model.model.layers.0.self_attn.q_proj.lora_A.weight"
B = "base_model.model.layers.0.self_attn.q_proj.lora_B.weight"


def config(**changes: Any) -> dict[str, Any]:
    right = {
        "peft_type": "LORA",
        "base_model_name_or_path": "base",
        "r": 8,
        "lora_alpha": 16,
        "target_modules": ["q_proj"],
    }
    return right | changes


def tensors() -> dict[str, Any]:
    return {
        A: {"dtype": "F32", "shape": [8, 4], "data_offsets": [0, 128]},
        B: {"dtype": "F32", "shape": [4, 8], "data_offsets": [128, 256]},
    }


def weights(header: Any, data: bytes = bytes(256)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write(directory: Path, *, settings: Any = None, content: bytes | None = None) -> Path:
    """A directory as PEFT writes it."""
    directory.mkdir(parents=True, exist_ok=True)
    text = settings if isinstance(settings, bytes) else json.dumps(config() if settings is None else settings).encode()
    (directory / CONFIG).write_bytes(text)
    (directory / WEIGHTS).write_bytes(weights(tensors()) if content is None else content)
    return directory
