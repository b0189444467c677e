"""The size of a base model and of an adapter for it, from the headers of the base's files."""

import json
from collections.abc import Iterator
from pathlib import Path

from safetensors import safe_open

from tuning.memory import Shape
from tuning.recipe import Recipe

_OUTSIDE = ("embed", "lm_head")  # parts of names of matrices that adapters leave alone
_FLOAT, _NF4 = 4.0, 0.6  # bytes of a parameter; NF4 with the constants of its blocks, at the most for large matrices


def shape_of(base: Path, recipe: Recipe) -> Shape:
    """Raises OSError."""
    matrices = list(_matrices(base))
    linear = [size for name, size in matrices if not any(part in name for part in _OUTSIDE)]
    others = [size for name, size in matrices if any(part in name for part in _OUTSIDE)]
    each = _NF4 if recipe.is_quantised else _FLOAT
    configuration = json.loads((base / "config.json").read_text(encoding="utf-8"))
    return Shape(
        weights=int(_parameters(linear) * each + _parameters(others) * _FLOAT),
        largest=max((rows * columns for rows, columns in linear), default=0),
        trained=sum(recipe.rank * (rows + columns) + (rows if recipe.is_dora else 0) for rows, columns in linear),
        layers=configuration["num_hidden_layers"],
        hidden=configuration["hidden_size"],
        vocabulary=configuration["vocab_size"],
    )


def _matrices(base: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Names and shapes, (outputs, inputs)."""
    for file in sorted(base.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118  # it is no mapping
                shape = opened.get_slice(name).get_shape()
                if len(shape) == 2:
                    yield name, (shape[0], shape[1])


def _parameters(shapes: list[tuple[int, int]]) -> int:
    return sum(rows * columns for rows, columns in shapes)
