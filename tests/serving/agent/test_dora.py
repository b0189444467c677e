"""A DoRA has one magnitude for each output of a plain linear layer, near the norm of its weights."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.hostile import SMALL, config, pair, weights, write
from serving.agent.base import Base
from serving.agent.errors import RefusedError
from serving.agent.verify import Rules, verify
from tests.serving.agent.artifacts import RULES, UNREADABLE

NAME = f"base_model.model.{SMALL.module}.lora_magnitude_vector"
NORM = 2.0  # of each row of the test base's weights: four ones
MATRICES = struct.pack("<64f", *[0.01] * 64)  # A and B


def _dora(
    path: Path, magnitudes: Sequence[float], data: bytes = MATRICES, more: Mapping[str, Sequence[float]] | None = None
) -> Path:
    header: dict[str, Any] = pair()
    for name, values in {NAME: magnitudes, **(more or {})}.items():
        header[name] = {
            "dtype": "F32",
            "shape": [len(values)],
            "data_offsets": [len(data), len(data) + 4 * len(values)],
        }
        data += struct.pack(f"<{len(values)}f", *values)
    return write(path, settings=config(use_dora=True), content=weights(header, data))


def _refusal(path: Path, rules: Rules = RULES) -> tuple[str, str]:
    with pytest.raises(RefusedError) as caught:
        verify(path, rules)
    return caught.value.reason, caught.value.message


@pytest.mark.parametrize("rules", [RULES, UNREADABLE], ids=["base-read", "base-unread"])
def test_a_right_one_is_accepted(tmp_path: Path, rules: Rules) -> None:
    verify(_dora(tmp_path, [2.1, 1.9, 2.0, -2.0]), rules)


def test_moved_magnitudes_are_an_effect_and_unmoved_ones_are_none(tmp_path: Path) -> None:
    untrained = struct.pack("<64f", *[0.01] * 32, *[0.0] * 32)  # B is zero
    verify(_dora(tmp_path / "moved", [2.0, 2.0, 2.0, 2.1], untrained), RULES)
    assert _refusal(_dora(tmp_path / "same", [NORM] * 4, untrained))[0] == "NoEffect"


@pytest.mark.parametrize(("magnitudes", "reason"), [
    ([2.0] * 3, "ShapeInvalid"), ([2.0] * 5, "ShapeInvalid"), ([2.0, 2.0, 2.0, 33.0], "WeightsTooLarge"),
    ([2.0, 2.0, 2.0, 1e30], "WeightsTooLarge"), ([2.0, 2.0, 2.0, float("nan")], "NotFinite"),
])  # fmt: skip
def test_other_magnitudes_are_refused(tmp_path: Path, magnitudes: list[float], reason: str) -> None:
    assert _refusal(_dora(tmp_path, magnitudes))[0] == reason


def test_a_second_tensor_for_the_same_part_is_refused(tmp_path: Path) -> None:
    """Which of two the engine would take is not what was checked."""
    twice = _dora(tmp_path / "magnitudes", [2.1] * 4, more={f"{NAME}.weight": [2.1] * 4})
    assert "two tensors for its magnitude" in _refusal(twice)[1]
    header = pair() | {SMALL.a.removeprefix("base_model.model."): pair()[SMALL.a]}
    shared = header[SMALL.a.removeprefix("base_model.model.")]
    shared = shared | {"data_offsets": [256, 256 + shared["data_offsets"][1]]}
    header[SMALL.a.removeprefix("base_model.model.")] = shared
    assert "two tensors for its A" in _refusal(write(tmp_path / "a", content=weights(header)))[1]


def test_what_has_no_plain_weights_is_refused_by_name(tmp_path: Path) -> None:
    layer = replace(RULES.base.layers[SMALL.module], tensor=None)
    quantised = Rules(Base("base", "org/base", {SMALL.module: layer}), max_rank=16)
    reason, message = _refusal(_dora(tmp_path, [2.0] * 4), quantised)
    assert (reason, SMALL.module in message, "quantised" in message) == ("FeatureUnsupported", True, True)


def test_magnitudes_and_the_setting_belong_together(tmp_path: Path) -> None:
    plain = _dora(tmp_path / "plain", [2.0] * 4)
    write(plain, content=(plain / "adapter_model.safetensors").read_bytes())
    assert "use_dora is not set" in _refusal(plain)[1]
    without = write(tmp_path / "without", settings=config(use_dora=True))
    assert "lora_magnitude are needed" in _refusal(without)[1]
