from pathlib import Path

import pytest

from serving.agent import base, weights

DEMO = Path("models/demo/base").resolve()


def test_a_base_models_layers_are_read_from_its_files() -> None:
    found = base.read("quiver-demo", str(DEMO))
    outputs, inputs = found.shape("model.layers.0.mlp.up_proj") or (0, 0)
    assert found.shape("model.layers.0.mlp.down_proj") == (inputs, outputs)
    assert found.shape("model.norm") is None
    assert found.names == {"quiver-demo", str(DEMO), "base"}


def test_of_a_name_on_the_hub_nothing_is_known_but_the_name() -> None:
    found = base.read("qwen", "Qwen/Qwen2.5-0.5B-Instruct")
    assert found.names == {"qwen", "Qwen/Qwen2.5-0.5B-Instruct", "Qwen2.5-0.5B-Instruct"}
    assert found.layers == {}
    assert found.norm("model.layers.0.mlp.up_proj") is None


def test_a_layers_norm_is_that_of_its_numbers() -> None:
    found = base.read("quiver-demo", str(DEMO))
    matrix = weights.matrix(*found.layers["model.layers.0.mlp.up_proj"])
    assert found.norm("model.layers.0.mlp.up_proj") == pytest.approx(float((matrix.astype("f8") ** 2).sum() ** 0.5))
