"""How much memory training takes, before it starts (pure, but for the reading of what is free)."""

from dataclasses import dataclass
from pathlib import Path

_FLOAT = 4  # bytes
_ADAPTER = 4 + 4 + 8  # bytes of a trained parameter: weight, gradient, and AdamW's two moments
# Floats kept for the way back, for each token and layer, as a multiple of the hidden size: attention, its inputs, and
# the wider inner layer.
_ACTIVATIONS = 34
_PROGRAM = 1_000_000_000  # bytes: torch, transformers and their libraries


@dataclass(frozen=True)
class Shape:
    """Of a base model and its adapter. `parameters` are the base's, `trained` the adapter's."""

    parameters: int
    trained: int
    layers: int
    hidden: int
    vocabulary: int


def needed(shape: Shape, batch: int, length: int) -> int:
    """Bytes at the most, for a batch of rows of this length, in single precision."""
    tokens = batch * length
    weights = shape.parameters * _FLOAT + shape.trained * _ADAPTER
    activations = tokens * shape.layers * shape.hidden * _ACTIVATIONS * _FLOAT
    logits = tokens * shape.vocabulary * _FLOAT * 2  # and their gradient
    return _PROGRAM + weights + activations + logits


def free() -> int:
    """Bytes for another process on this machine, without swapping."""
    return _kilobytes(Path("/proc/meminfo"), "MemAvailable:") * 1024


def resident() -> int:
    """Bytes of this process."""
    return _kilobytes(Path("/proc/self/status"), "VmRSS:") * 1024


def peak() -> int:
    """Bytes that this process has had at the most. `ru_maxrss` begins with those of the process that started it."""
    return _kilobytes(Path("/proc/self/status"), "VmHWM:") * 1024


def _kilobytes(file: Path, name: str) -> int:
    line = next(line for line in file.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])
