"""Every hostile artifact is refused for its own reason, and nothing of it is imported."""

import pickle
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.agent.errors import RefusedError
from serving.agent.verify import Rules, verify
from tests.serving.agent import artifacts
from tests.serving.agent.artifacts import RULES, A, B, config, tensors, weights, write


def _tensor(**changes: Any) -> bytes:
    return weights({**tensors(), A: tensors()[A] | changes})


def _zip() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(print))
    return file.getvalue()


WEIGHTS: list[tuple[str, bytes, str]] = [
    ("empty", b"", "NotSafetensors"),
    ("seven bytes", b"1234567", "NotSafetensors"),
    ("a pickle", pickle.dumps(print), "NotSafetensors"),
    ("a zip", _zip(), "NotSafetensors"),
    ("a header of 2^63 bytes", struct.pack("<Q", 2**63) + b"{}", "NotSafetensors"),
    ("a header past the end", struct.pack("<Q", 10_000) + b"{}", "NotSafetensors"),
    ("a header that is no JSON", weights(b"{nope"), "NotSafetensors"),
    ("a header nested too deep", weights(b"[" * 100_000 + b"]" * 100_000), "NotSafetensors"),
    ("a header that is a list", weights([]), "NotSafetensors"),
    ("no tensors", weights({}, b""), "NotSafetensors"),
    ("a tensor that is text", weights({A: "x"}), "TensorInvalid"),
    ("a tensor of integers", _tensor(dtype="I64"), "TensorInvalid"),
    ("a tensor of unknown type", _tensor(dtype="F1024"), "TensorInvalid"),
    ("a vector", _tensor(shape=[32]), "TensorInvalid"),
    ("a shape of no rows", _tensor(shape=[0, 4]), "TensorInvalid"),
    ("a negative shape", _tensor(shape=[-8, -4]), "TensorInvalid"),
    ("a shape too large for its bytes", _tensor(shape=[2**40, 2**40]), "TensorInvalid"),
    ("a shape of text", _tensor(shape=["8", 4]), "TensorInvalid"),
    ("a tensor that is no LoRA", weights({"model.embed_tokens.weight": tensors()[A]}, bytes(128)), "TensorInvalid"),
    (
        "offsets that overlap",
        weights({A: tensors()[A], B: tensors()[B] | {"data_offsets": [64, 192]}}),
        "OffsetsInvalid",
    ),
    (
        "offsets with a hole",
        weights({A: tensors()[A], B: tensors()[B] | {"data_offsets": [160, 288]}}),
        "OffsetsInvalid",
    ),
    ("offsets that begin late", weights({A: tensors()[A] | {"data_offsets": [8, 136]}}), "OffsetsInvalid"),
    ("bytes missing", weights(tensors(), bytes(200)), "OffsetsInvalid"),
    ("bytes too many", weights(tensors(), bytes(300)), "OffsetsInvalid"),
]

CONFIGS: list[tuple[str, Any, str]] = [
    ("no JSON", b"{", "ConfigInvalid"),
    ("a list", [], "ConfigInvalid"),
    ("nested too deep", b"[" * 100_000, "ConfigInvalid"),
    ("huge", b" " * (2 * 1024 * 1024), "ConfigInvalid"),
    ("another method", config(peft_type="IA3"), "NotLora"),
    ("no method", {}, "NotLora"),
    ("another base", config(base_model_name_or_path="org/other"), "OtherBase"),
    ("no base", config(base_model_name_or_path=None), "OtherBase"),
    ("a base that is a list", config(base_model_name_or_path=["base"]), "OtherBase"),
    ("a rank above the engine's", config(r=64), "RankTooHigh"),
    ("a rank above it in a pattern", config(rank_pattern={"q_proj": 64}), "RankTooHigh"),
    ("a rank of text", config(r="8"), "ConfigInvalid"),
    ("a rank of zero", config(r=0), "ConfigInvalid"),
    ("DoRA", config(use_dora=True), "FeatureUnsupported"),
    ("saved modules", config(modules_to_save=["lm_head"]), "FeatureUnsupported"),
    ("a bias", config(bias="all"), "FeatureUnsupported"),
]


def test_a_right_adapter_is_let_through(tmp_path: Path) -> None:
    verify(write(tmp_path), RULES)


@pytest.mark.parametrize("name", ["base", "org/base", "/models/base", "/models/base/"])
def test_a_base_is_known_by_its_name_its_source_and_the_end_of_a_path(tmp_path: Path, name: str) -> None:
    verify(write(tmp_path, settings=config(base_model_name_or_path=name)), RULES)


@pytest.mark.parametrize(("what", "content", "reason"), WEIGHTS, ids=[row[0] for row in WEIGHTS])
def test_weights_that_are_wrong_are_refused_for_their_own_reason(
    tmp_path: Path, what: str, content: bytes, reason: str
) -> None:
    assert _refusal(lambda: verify(write(tmp_path, content=content), RULES)) == reason


@pytest.mark.parametrize(("what", "settings", "reason"), CONFIGS, ids=[row[0] for row in CONFIGS])
def test_a_configuration_that_is_wrong_is_refused_for_its_own_reason(
    tmp_path: Path, what: str, settings: Any, reason: str
) -> None:
    assert _refusal(lambda: verify(write(tmp_path, settings=settings), RULES)) == reason


def _refusal(action: Callable[[], None]) -> str:
    with pytest.raises(RefusedError) as caught:
        action()
    assert caught.value.message
    return caught.value.reason


@given(st.binary(max_size=400))
def test_any_bytes_in_place_of_weights_are_refused_and_nothing_worse(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    directory = write(tmp_path_factory.mktemp("a"), content=content)
    assert _refusal(lambda: verify(directory, RULES))


@given(
    st.dictionaries(
        st.sampled_from(sorted(artifacts.config())), st.none() | st.integers() | st.text() | st.lists(st.none())
    )
)
def test_any_configuration_is_let_through_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]
) -> None:
    directory = write(tmp_path_factory.mktemp("a"), settings=config(**changes))
    try:
        verify(directory, Rules(base_names=frozenset({"base"}), max_rank=16))
    except RefusedError as error:
        assert error.reason  # noqa: PT017  # both outcomes are right, only another exception is not
