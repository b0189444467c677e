import json
import struct
from pathlib import Path
from typing import Any

import pytest

from serving.agent import base, weights
from serving.agent.layers import Shape

DEMO = Path("models/demo/base").resolve()
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_base_models_layers_are_read_from_its_files() -> None:
    model = base.read("quiver-demo", str(DEMO))
    outputs, inputs = model.shape("model.layers.0.mlp.up_proj") or (0, 0)
    assert model.shape("model.layers.0.mlp.down_proj") == (inputs, outputs)
    assert model.shape("model.norm") is None


def test_a_head_that_shares_the_embeddings_matrix_has_its_shape() -> None:
    model = base.read("quiver-demo", str(DEMO))
    assert model.shape("lm_head") == model.shape("model.embed_tokens") == (2048, 192)


def test_a_heads_norm_is_that_of_the_embeddings_where_they_share_a_matrix() -> None:
    model = base.read("quiver-demo", str(DEMO))
    assert model.norm("lm_head") == model.norm("model.embed_tokens") is not None


def test_a_norm_is_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = base.read("quiver-demo", str(DEMO)).norm("model.embed_tokens")
    monkeypatch.setattr(weights, "_BLOCK_ITEMS", 1000)
    assert base.read("quiver-demo", str(DEMO)).norm("model.embed_tokens") == pytest.approx(whole)


def test_a_layers_norm_is_that_of_its_numbers() -> None:
    model = base.read("quiver-demo", str(DEMO))
    layer = model.layers["model.layers.0.mlp.up_proj"]
    assert layer.tensor
    matrix = weights.matrix(layer.path, layer.tensor)
    assert model.norm("model.layers.0.mlp.up_proj") == pytest.approx(float((matrix.astype("f8") ** 2).sum() ** 0.5))


def test_a_model_on_the_hub_is_read_from_the_engines_cache_once_it_is_there(tmp_path: Path) -> None:
    source = "Qwen/Qwen2.5-0.5B-Instruct"
    assert base.read("qwen", source, tmp_path).layers == {}
    assert base.read("qwen", source).norm("model.layers.0.mlp.up_proj") is None
    folder = tmp_path / "models--Qwen--Qwen2.5-0.5B-Instruct"
    snapshot = folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text(COMMIT)
    blob = folder / "blobs/abc"
    blob.parent.mkdir()
    blob.write_bytes((DEMO / "model.safetensors").read_bytes())
    (snapshot / "model.safetensors").symlink_to("../../blobs/abc")
    assert base.read("qwen", source, tmp_path).shape("lm_head") == (2048, 192)
    assert base.read("qwen", f"hf://{source}@{COMMIT}", tmp_path).shape("lm_head") == (2048, 192)
    assert base.read("qwen", f"hf://{source}@v2", tmp_path).layers == {}


def _checkpoint(folder: Path, tensors: dict[str, tuple[str, list[int], int]], config: dict[str, Any]) -> Path:
    """Tensors by name: type, shape and bytes."""
    header, place = {}, 0
    for name, (dtype, shape, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    raw = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(place))
    (folder / "config.json").write_text(json.dumps({"quantization_config": config}))
    return folder


BITS = {"bits": 4, "group_size": 128}
LAYOUTS: dict[str, tuple[dict[str, tuple[str, list[int], int]], dict[str, Any]]] = {
    "awq": (
        {"m.qweight": ("I32", [256, 64], 65_536), "m.scales": ("F16", [2, 512], 2048)},
        {"quant_method": "awq", **BITS},
    ),
    "gptq": (
        {"m.qweight": ("I32", [32, 512], 65_536), "m.scales": ("F16", [2, 512], 2048)},
        {"quant_method": "gptq", **BITS},
    ),
    "gptq of 8 bits": (
        {"m.qweight": ("I32", [64, 512], 131_072), "m.scales": ("F16", [2, 512], 2048)},
        {"quant_method": "gptq", "bits": 8},
    ),
    "compressed-tensors W4A16": (
        {"m.weight_packed": ("I32", [512, 32], 65_536), "m.weight_shape": ("I64", [2], 16)},
        {"quant_method": "compressed-tensors"},
    ),
    "compressed-tensors W8A16": (
        {"m.weight_packed": ("I32", [512, 64], 131_072)},
        {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 8}}}},
    ),
    "fp8": ({"m.weight": ("F8_E4M3", [512, 256], 131_072)}, {"quant_method": "fp8"}),
    "nvfp4": ({"m.weight": ("U8", [512, 128], 65_536)}, {"quant_method": "modelopt"}),
    "nvfp4 packed": ({"m.weight_packed": ("U8", [512, 128], 65_536)}, {"quant_method": "compressed-tensors"}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_shapes_of_quantised_layers_are_those_of_what_they_stand_for(tmp_path: Path, layout: str) -> None:
    model = base.read("base", str(_checkpoint(tmp_path, *LAYOUTS[layout])))
    assert model.shape("m") == (512, 256)
    assert model.norm("m") == pytest.approx(0.1 * (512 * 256) ** 0.5)  # none of its own to be read


def test_four_bits_of_bitsandbytes_say_their_shape_in_a_state(tmp_path: Path) -> None:
    state = json.dumps({"shape": [512, 256], "quant_type": "nf4"}).encode()
    name = "m.weight.quant_state.bitsandbytes__nf4"
    folder = _checkpoint(
        tmp_path, {"m.weight": ("U8", [65_536, 1], 65_536), name: ("U8", [len(state)], len(state))}, {}
    )
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: -len(state)] + state)
    shape: Shape = (512, 256)
    assert base.read("base", str(folder)).shape("m") == shape
