"""The base model's layers, read from its files: an adapter's matrices must have their shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serving.agent import layers, weights
from serving.agent.layers import Layer, Shape

# An upper bound for the standard deviation of a trained matrix's entries: it is 0.01 to 0.05 in public models.
LARGEST_SPREAD = 0.1


@dataclass(frozen=True)
class Base:
    """`name` is the model's public name, `source` the engine's path or hub name. `layers` are by module name, and empty
    if the model's files cannot be read here."""

    name: str
    source: str
    layers: Mapping[str, Layer] = field(default_factory=dict)
    _norms: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    def shape(self, module: str) -> Shape | None:
        layer = self._layer(module)
        return layer.shape if layer else None

    def norm(self, module: str) -> float | None:
        """The Frobenius norm of the module's matrix; if quantised, an upper bound for trained matrices of its shape.
        Cached: a large model's matrices take seconds."""
        layer = self._layer(module)
        if layer is None:
            return None
        if layer.tensor is None:
            return float(LARGEST_SPREAD * prod(layer.shape) ** 0.5)
        if module not in self._norms:
            self._norms[module] = weights.norm(layer.path, layer.tensor)
        return self._norms[module]

    def row_norms(self, module: str) -> NDArray[np.float32] | None:
        """Of each output's weights, float32[outputs]; None if they cannot be read here."""
        layer = self._layer(module)
        return weights.row_norms(layer.path, layer.tensor) if layer and layer.tensor else None

    def is_quantised(self, module: str) -> bool:
        layer = self._layer(module)
        return layer is not None and layer.tensor is None

    def _layer(self, module: str) -> Layer | None:
        """An `lm_head` that shares the embeddings' matrix has no tensor of its own."""
        return self.layers.get(module) or (self._embeddings if module == "lm_head" else None)

    @property
    def _embeddings(self) -> Layer | None:
        return next((layer for name, layer in self.layers.items() if name.endswith("embed_tokens")), None)


def read(name: str, source: str, hub_cache: Path | None = None) -> Base:
    """A model on the hub is read from the engine's cache once the engine has fetched it. Blocks."""
    directory = locate(source, hub_cache)
    return Base(name, source, layers.read(directory) if directory else {})


def locate(source: str, hub_cache: Path | None) -> Path | None:
    """The directory of a model's files, None if it does not exist here."""
    path = Path(source.removeprefix("file://"))
    if path.is_absolute():
        return path if path.is_dir() else None
    if hub_cache is None:
        return None
    name, _, revision = source.removeprefix("hf://").partition("@")
    folder = hub_cache / f"models--{name.replace('/', '--')}"
    reference = folder / "refs" / (revision or "main")
    commit = reference.read_text().strip() if reference.is_file() else revision
    snapshot = folder / "snapshots" / commit
    return snapshot if commit and snapshot.is_dir() else None
