"""The base model's linear layers, read from its files: what an adapter's matrices must fit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from serving.agent import weights
from serving.agent.errors import RefusedError
from serving.agent.weights import Tensor


@dataclass(frozen=True)
class Base:
    """`names` are all that the model is known by. `layers` maps a module to its matrix, [outputs, inputs], and the file
    that it lies in; empty where the model's files are not here to be read."""

    names: frozenset[str]
    layers: Mapping[str, tuple[Path, Tensor]] = field(default_factory=dict)
    _norms: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    def shape(self, module: str) -> tuple[int, int] | None:
        """(outputs, inputs)"""
        if module not in self.layers:
            return None
        _, tensor = self.layers[module]
        return tensor.rows, tensor.columns

    def norm(self, module: str) -> float | None:
        """The Frobenius norm. Read once: a large model's matrices take seconds."""
        if module not in self.layers:
            return None
        if module not in self._norms:
            self._norms[module] = float(np.linalg.norm(weights.matrix(*self.layers[module])))
        return self._norms[module]


def read(name: str, source: str) -> Base:
    """A model is known by its object's name, by its source, and by the last part of its source.

    A name on the hub says nothing of its shapes; the engine has the last word on those.
    """
    source = source.rstrip("/")
    names = frozenset({name, source, source.rpartition("/")[2]})
    directory = Path(source.removeprefix("file://"))
    if not directory.is_absolute() or not directory.is_dir():
        return Base(names)
    layers: dict[str, tuple[Path, Tensor]] = {}
    for path in sorted(directory.glob("*.safetensors")):
        layers |= _layers(path)
    return Base(names, layers)


def _layers(path: Path) -> dict[str, tuple[Path, Tensor]]:
    """By module. Of a quantised model only what is stored as plain matrices is known."""
    try:
        tensors = weights.matrices(path)
    except (RefusedError, OSError):
        return {}
    return {
        name.removesuffix(".weight"): (path, tensor) for name, tensor in tensors.items() if name.endswith(".weight")
    }
