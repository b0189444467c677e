from pathlib import Path

from serving.agent import base

DEMO = Path("models/demo/base").resolve()


def test_a_base_models_layers_are_read_from_its_files() -> None:
    found = base.read("quiver-demo", str(DEMO))
    outputs, inputs = found.shapes["model.layers.0.mlp.up_proj"]
    assert found.shapes["model.layers.0.mlp.down_proj"] == (inputs, outputs)
    assert "model.norm" not in found.shapes
    assert found.names == {"quiver-demo", str(DEMO), "base"}


def test_of_a_name_on_the_hub_nothing_is_known_but_the_name() -> None:
    found = base.read("qwen", "Qwen/Qwen2.5-0.5B-Instruct")
    assert found.names == {"qwen", "Qwen/Qwen2.5-0.5B-Instruct", "Qwen2.5-0.5B-Instruct"}
    assert found.shapes == {}
