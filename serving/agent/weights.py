"""The safetensors format, read without trusting it: https://github.com/huggingface/safetensors#format."""

import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.agent.errors import RefusedError

WEIGHTS = "adapter_model.safetensors"
MAX_HEADER_BYTES = 16 * 1024 * 1024
MAX_TENSORS = 20_000
MAX_CHECKPOINT_TENSORS = 1_000_000  # of one file of a base model
BYTES_PER_ITEM = {"F32": 4, "F16": 2, "BF16": 2}
# All exponent bits set means infinity or NaN (IEEE 754; bfloat16 is the upper half of a float32).
_EXPONENTS = {"F32": 0x7F80_0000, "F16": 0x7C00, "BF16": 0x7F80}
_BLOCK_ITEMS = 4 * 1024 * 1024
_STORED = {"BF16": "<u2", "F16": "<f2", "F32": "<f4"}


@dataclass(frozen=True)
class Tensor:
    """A matrix, or a vector as one column; `begin` and `end` are byte offsets in the file."""

    dtype: str
    rows: int
    columns: int
    begin: int
    end: int
    is_vector: bool = False


@dataclass(frozen=True)
class Entry:
    """One tensor of any type and shape, as the header gives it."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def entries(path: Path) -> Mapping[str, Entry]:
    """The header's tensors, without incorrectly described ones. Raises RefusedError and OSError."""
    header, start = _read_header(path, MAX_CHECKPOINT_TENSORS)
    tensors: dict[str, Entry] = {}
    for name, entry in header.items():
        match entry:
            case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(begin), int(end)]}:
                if all(isinstance(size, int) for size in shape):
                    tensors[name] = Entry(dtype, tuple(shape), start + begin, start + end)
    return tensors


def floating(name: str, entry: Entry) -> Tensor | None:
    """A plain matrix of floating-point numbers; None for any other tensor."""
    raw = {"dtype": entry.dtype, "shape": list(entry.shape), "data_offsets": [entry.begin, entry.end]}
    with suppress(RefusedError):
        tensor = _tensor(name, raw, 0)
        return None if tensor.is_vector else tensor
    return None


def read(path: Path) -> Mapping[str, Tensor]:
    """Every tensor, by name. Raises RefusedError unless the header describes the file to its last byte."""
    header, start = _read_header(path)
    if not header:
        raise RefusedError("NotSafetensors", f"{path.name} holds no tensors")
    tensors = {name: _tensor(name, entry, start) for name, entry in header.items()}
    expected = start
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if tensor.begin != expected:
            raise RefusedError("OffsetsInvalid", f"tensor {name} begins at {tensor.begin}, expected {expected}")
        expected = tensor.end
    size = path.stat().st_size
    if expected != size:
        raise RefusedError("OffsetsInvalid", f"{path.name} has {size} bytes, its header describes {expected}")
    return tensors


def check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raises RefusedError with the first tensor containing NaN or infinity: either spoils a whole batch."""
    with path.open("rb") as file:
        for name, tensor in tensors.items():
            file.seek(tensor.begin)
            left = (tensor.end - tensor.begin) // BYTES_PER_ITEM[tensor.dtype]
            while left:
                items = np.fromfile(file, f"<u{BYTES_PER_ITEM[tensor.dtype]}", count=min(left, _BLOCK_ITEMS))
                mask = _EXPONENTS[tensor.dtype]
                if not len(items) or np.any((items & mask) == mask):
                    raise RefusedError("NotFinite", f"tensor {name} holds NaN or infinity; train again")
                left -= len(items)


def matrix(path: Path, tensor: Tensor) -> NDArray[np.float32]:
    """The numbers of one tensor, [rows, columns]. Values beyond float32 become infinite."""
    return np.concatenate(list(_blocks(path, tensor))).reshape(tensor.rows, tensor.columns)


def norm(path: Path, tensor: Tensor) -> float:
    """The Frobenius norm, computed in blocks: the whole head of a large model would take gigabytes."""
    return float(sum(float(np.sum(np.square(block, dtype=np.float64))) for block in _blocks(path, tensor)) ** 0.5)


def row_norms(path: Path, tensor: Tensor) -> NDArray[np.float32]:
    """float32[rows], computed in blocks of whole rows."""
    rows = max(1, _BLOCK_ITEMS // tensor.columns)
    parts = []
    for start in range(0, tensor.rows, rows):
        count = min(rows, tensor.rows - start)
        begin = tensor.begin + start * tensor.columns * BYTES_PER_ITEM[tensor.dtype]
        part = Tensor(tensor.dtype, count, tensor.columns, begin, tensor.end)
        parts.append(np.linalg.norm(matrix(path, part), axis=1))
    return np.concatenate(parts).astype(np.float32)


def _blocks(path: Path, tensor: Tensor) -> Iterator[NDArray[np.float32]]:
    left = tensor.rows * tensor.columns
    with path.open("rb") as file:
        file.seek(tensor.begin)
        while left > 0:
            block = _floats(np.fromfile(file, _STORED[tensor.dtype], count=min(left, _BLOCK_ITEMS)), tensor.dtype)
            if not len(block):
                raise RefusedError("OffsetsInvalid", f"{path.name} ends before its last tensor does")
            left -= len(block)
            yield block


def _floats(items: "NDArray[np.generic]", dtype: str) -> NDArray[np.float32]:
    if dtype == "BF16":
        return (items.astype(np.uint32) << 16).view(np.float32)
    return items.astype(np.float32)


def _read_header(path: Path, most_tensors: int = MAX_TENSORS) -> tuple[dict[str, Any], int]:
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise RefusedError(
                "NotSafetensors", f"{path.name} has no safetensors header (length {length} of {size} bytes)"
            )
        raw = file.read(length)
    try:
        header = json.loads(raw.decode())  # json would accept UTF-16 as well; the engine does not
    except (ValueError, RecursionError) as error:
        raise RefusedError("NotSafetensors", f"the header of {path.name} is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise RefusedError("NotSafetensors", f"the header of {path.name} is not a table of tensors")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise RefusedError("NotSafetensors", f"the metadata of {path.name} is not a table of texts")
    if len(header) > most_tensors:
        raise RefusedError("NotSafetensors", f"{path.name} describes {len(header)} tensors, over {most_tensors}")
    return header, 8 + length


def _tensor(name: str, entry: object, start: int) -> Tensor:
    match entry:
        case {"dtype": str(dtype), "shape": [int(rows), int(columns)], "data_offsets": [int(begin), int(end)]}:
            is_vector = False
        case {"dtype": str(dtype), "shape": [int(rows)], "data_offsets": [int(begin), int(end)]}:
            columns, is_vector = 1, True
        case _:
            raise RefusedError("TensorInvalid", f"tensor {name} is no matrix or vector with dtype, shape, data_offsets")
    if any(isinstance(number, bool) for number in (rows, columns, begin, end)):
        raise RefusedError("TensorInvalid", f"tensor {name} has true or false for a number")
    if dtype not in BYTES_PER_ITEM:
        raise RefusedError("TensorInvalid", f"tensor {name} has dtype {dtype}; use {', '.join(BYTES_PER_ITEM)}")
    if min(rows, columns) < 1 or end - begin != prod((rows, columns)) * BYTES_PER_ITEM[dtype]:
        raise RefusedError(
            "TensorInvalid", f"tensor {name} of shape {rows}x{columns} does not fill its {end - begin} bytes"
        )
    return Tensor(dtype, rows, columns, start + begin, start + end, is_vector)
