"""Embedders for tests."""

import json
import subprocess
from pathlib import Path

import pytest

from operators.settings import Settings
from retrieval.embedding.sentence_encoder import SentenceEncoder

DIMENSIONS = 384  # of the embedder that comes with Quiver
WIDER = 512

# Behind the model, a linear layer from 384 to 512 numbers: all vectors point in one direction for the most part, so
# that cosines are 0.7 or more, as those of the E5 models are.
_WIDEN = """
import sys, numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper
source, target, width = sys.argv[1], sys.argv[2], int(sys.argv[3])
model, rng = onnx.load(source), np.random.default_rng(0)
matrix = np.linalg.qr(rng.standard_normal((width, 384)))[0].T.astype(np.float32)
common = np.zeros(width, np.float32); common[:] = 10.0 / width ** 0.5
output = model.graph.output[0]
model.graph.initializer.extend([numpy_helper.from_array(matrix, "widen.matrix"),
                                numpy_helper.from_array(common, "widen.common")])
model.graph.node.extend([helper.make_node("MatMul", [output.name, "widen.matrix"], ["widen.product"]),
                         helper.make_node("Add", ["widen.product", "widen.common"], ["widened"])])
del model.graph.output[:]
model.graph.output.append(helper.make_tensor_value_info("widened", TensorProto.FLOAT, ["batch", "sequence", width]))
onnx.save(model, target)
"""


def with_recipe(model: Path, folder: Path, **recipe: object) -> SentenceEncoder:
    """The model, used otherwise: to the product, another embedder."""
    folder.mkdir()
    for name in ("model.onnx", "tokenizer.json"):
        (folder / name).symlink_to(model / name)
    (folder / "embedder.json").write_text(json.dumps(recipe))
    return SentenceEncoder(folder)


def widened(model: Path, folder: Path) -> Path:
    """A folder with an embedder that tells the same texts apart, by longer vectors and other cosines."""
    python = Settings().engine_python
    if not python.is_file():
        pytest.skip("the engine's environment is not there: make setup")
    folder.mkdir()
    command = [str(python), "-c", _WIDEN, str(model / "model.onnx"), str(folder / "model.onnx"), str(WIDER)]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "tokenizer.json").symlink_to(model / "tokenizer.json")
    return folder
