"""The linear layers and embeddings of a checkpoint, read from the headers of its files: plain, or in quantised layouts
that engines can read.

The layouts: AWQ and GPTQ as written by AutoAWQ and GPTQModel, compressed-tensors
(https://github.com/neuralmagic/compressed-tensors), bitsandbytes' 4 bits as saved by `transformers`, NVFP4 as written
by NVIDIA's Model Optimizer and compressed-tensors.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.agent import weights
from serving.agent.errors import RefusedError
from serving.agent.weights import Entry, Tensor

Shape = tuple[int, int]  # outputs, inputs

_BNB_STATES = (".weight.quant_state.bitsandbytes__nf4", ".weight.quant_state.bitsandbytes__fp4")


@dataclass(frozen=True)
class Layer:
    """`tensor` is the matrix itself in the file `path`; None if it is quantised."""

    shape: Shape
    path: Path
    tensor: Tensor | None = None


def read(directory: Path) -> Mapping[str, Layer]:
    """The layers by module name. Unreadable files are skipped."""
    bits = _bits(directory)
    layers: dict[str, Layer] = {}
    for path in sorted(directory.glob("*.safetensors")):
        try:
            entries = weights.entries(path)
        except (RefusedError, OSError):
            continue
        layers |= _of_file(path, entries, bits)
    return layers


def _bits(directory: Path) -> int:
    """Bits of one weight in a quantised checkpoint; 4, as in most, if the configuration names none."""
    try:
        config = json.loads((directory / "config.json").read_bytes())["quantization_config"]
        groups = config.get("config_groups") or {}
        named = [group["weights"]["num_bits"] for group in groups.values()]  # compressed-tensors
        return int(named[0] if named else config["bits"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 4


def _of_file(path: Path, entries: Mapping[str, Entry], bits: int) -> dict[str, Layer]:
    layers: dict[str, Layer] = {}
    for name, entry in entries.items():
        module, _, kind = name.rpartition(".")
        if kind == "weight" and (tensor := weights.floating(name, entry)):
            layers[module] = Layer((tensor.rows, tensor.columns), path, tensor)
        elif shape := _quantised(module, kind, name, entry, entries, bits, path):
            layers[module.removesuffix(".weight.quant_state")] = Layer(shape, path)
    return layers


def _quantised(
    module: str, kind: str, name: str, entry: Entry, entries: Mapping[str, Entry], bits: int, path: Path
) -> Shape | None:
    """The shape of the module's matrix according to one tensor, if the tensor defines it."""
    match kind, entry.dtype, entry.shape:
        case "weight", "I8" | "F8_E4M3" | "F8_E5M2", [rows, columns]:
            return rows, columns
        case "weight" | "weight_packed", "U8", [rows, columns] if columns > 1:  # NVFP4: two values in a byte
            return rows, 2 * columns
        case "weight_packed", "I32", [rows, columns]:  # compressed-tensors: packed along the inputs
            return rows, columns * 32 // bits
        case "qweight", "I32", [rows, columns]:
            return _packed(module, rows, columns, entries, bits)
    if name.endswith(_BNB_STATES):
        return _bnb(path, entry)
    return None


def _packed(module: str, rows: int, columns: int, entries: Mapping[str, Entry], bits: int) -> Shape | None:
    """AWQ packs [inputs, outputs] along the outputs, GPTQ along the inputs; scales have one column per output."""
    scales = entries.get(f"{module}.scales")
    if scales is None or len(scales.shape) != 2:
        return None
    outputs = scales.shape[1]
    return (outputs, rows * 32 // bits) if columns == outputs else (outputs, rows)


def _bnb(path: Path, entry: Entry) -> Shape | None:
    """The shape in bitsandbytes' state: JSON stored as a tensor of bytes."""
    try:
        with path.open("rb") as file:
            file.seek(entry.begin)
            state: Any = json.loads(file.read(min(entry.end - entry.begin, 64 * 1024)))
    except (OSError, ValueError, RecursionError):
        return None
    match state:
        case {"shape": [int(rows), int(columns)]}:
            return rows, columns
    return None
