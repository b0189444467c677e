"""The base model's linear layers, read from its files: what an adapter's matrices must fit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from serving.agent import weights
from serving.agent.errors import RefusedError


@dataclass(frozen=True)
class Base:
    """`names` are all that the model is known by. `shapes` maps a module to (outputs, inputs); empty where the
    model's files are not here to be read."""

    names: frozenset[str]
    shapes: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def read(name: str, source: str) -> Base:
    """A model is known by its object's name, by its source, and by the last part of its source.

    A name on the hub says nothing of its shapes; the engine has the last word on those.
    """
    source = source.rstrip("/")
    names = frozenset({name, source, source.rpartition("/")[2]})
    directory = Path(source.removeprefix("file://"))
    if not directory.is_absolute() or not directory.is_dir():
        return Base(names)
    shapes: dict[str, tuple[int, int]] = {}
    for path in sorted(directory.glob("*.safetensors")):
        shapes |= _matrices(path)
    return Base(names, shapes)


def _matrices(path: Path) -> dict[str, tuple[int, int]]:
    """By module. Of a quantised model only what is stored as plain matrices is known."""
    try:
        header = weights.read_header(path)
    except (RefusedError, OSError):
        return {}
    found = {}
    for name, entry in header.items():
        match entry:
            case {"shape": [int(rows), int(columns)]} if name.endswith(".weight"):
                found[name.removesuffix(".weight")] = (rows, columns)
    return found
