"""How much memory training takes, before it starts (pure, but for the reading of what is free)."""

from dataclasses import dataclass
from pathlib import Path

_FLOAT = 4  # bytes
_ADAPTER = 4 + 4 + 8  # bytes of a trained parameter: weight, gradient, and AdamW's two moments
# Floats kept for the way back, for each token and layer, as a multiple of the hidden size: attention, its inputs, and
# the wider inner layer. A DoRA keeps the outputs of its base layers, too.
_ACTIVATIONS, _DORA_ACTIVATIONS = 34, 50
_LIBRARIES = 300_000_000  # bytes that they take at the first step: code, buffers of threads


@dataclass(frozen=True)
class Shape:
    """Of a base model and its adapter. `weights` are the base's in bytes as they are held, `largest` is its largest
    matrix's number of parameters, `trained` are the adapter's parameters."""

    weights: int
    largest: int
    trained: int
    layers: int
    hidden: int
    vocabulary: int


def needed(shape: Shape, batch: int, length: int, *, is_dora: bool = False) -> int:
    """Bytes at the most beside the program's own, for a batch of rows of this length, in single precision."""
    tokens = batch * length
    weights = shape.weights + shape.trained * _ADAPTER
    activations = tokens * shape.layers * shape.hidden * (_DORA_ACTIVATIONS if is_dora else _ACTIVATIONS) * _FLOAT
    logits = tokens * shape.vocabulary * _FLOAT * 2  # and their gradient
    norms = shape.largest * _FLOAT * 2 if is_dora else 0  # B A, and W + B A, of a layer at a time
    return _LIBRARIES + weights + activations + logits + norms


def free() -> int:
    """Bytes for another process on this machine, without swapping."""
    return _kilobytes(Path("/proc/meminfo"), "MemAvailable:") * 1024


def resident() -> int:
    """Bytes of this process."""
    return _kilobytes(Path("/proc/self/status"), "VmRSS:") * 1024


def peak() -> int:
    """The peak of this process's memory, in bytes. `ru_maxrss` begins with those of the process that started it."""
    return _kilobytes(Path("/proc/self/status"), "VmHWM:") * 1024


def _kilobytes(file: Path, name: str) -> int:
    line = next(line for line in file.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])
