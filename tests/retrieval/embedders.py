"""Embedders for tests."""

import json
from pathlib import Path

from retrieval.embedding.model import Embedder


def with_recipe(model: Path, folder: Path, **recipe: object) -> Embedder:
    """The model, used otherwise: to the product, another embedder."""
    folder.mkdir()
    for name in ("model.onnx", "tokenizer.json"):
        (folder / name).symlink_to(model / name)
    (folder / "embedder.json").write_text(json.dumps(recipe))
    return Embedder(folder)
