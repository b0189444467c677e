"""An adapter is trained on the demo's base model, in the engine's environment; a run that is killed goes on exactly."""

import hashlib
import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from operators.cli import main
from serving.agent import base, weights
from serving.agent.verify import Rules, verify
from tests.tuning.test_rendering import DEMO
from tests.tuning.training import ENGINE, said, started, trained
from tuning.base import adapter_digest

LINEAR_PARAMETERS = 1_671_168  # of the demo's base

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not ENGINE.is_file(), reason="the engine's environment is not there: make setup"),
]


def _digest(out: Path) -> str:
    return adapter_digest(out)


def test_an_adapter_says_where_it_comes_from(data: Path, whole: Path) -> None:
    assert sorted(path.name for path in whole.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "lineage.json",
    ]  # fmt: skip
    lineage = json.loads((whole / "lineage.json").read_text())
    assert lineage["data"]["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
    assert lineage["recipe"]["rank"] == json.loads((whole / "adapter_config.json").read_text())["r"] == 4
    assert lineage["memory_bytes"]["peak"] <= lineage["memory_bytes"]["estimated"]


@pytest.mark.parametrize("at", [3, 11])
def test_a_run_that_is_killed_goes_on_to_the_same_adapter(data: Path, whole: Path, tmp_path: Path, at: int) -> None:
    out = tmp_path / "adapter"
    with started(data, out) as trainer:
        for line in said(trainer):
            if line.get("step", 0) >= at:
                trainer.send_signal(signal.SIGKILL)
                break
    assert not (out / "lineage.json").exists()
    steps = [line["step"] for line in trained(data, out) if "loss" in line]
    assert steps[0] > 1
    assert _digest(out) == _digest(whole)


def test_another_run_in_the_same_folder_is_refused(data: Path, whole: Path, tmp_path: Path) -> None:
    assert "adapter already" in trained(data, whole)[-1]["error"]
    out = tmp_path / "begun"
    with started(data, out) as trainer:
        next(said(trainer))
        trainer.kill()
    assert "another recipe" in trained(data, out, rank=8)[-1]["error"]


def test_a_run_that_learns_nothing_makes_no_adapter(data: Path, tmp_path: Path) -> None:
    last = trained(data, tmp_path / "adapter", rate=1e12)[-1]
    assert "learned nothing" in last.get("error", "")
    assert not (tmp_path / "adapter" / "adapter_model.safetensors").exists()


def test_faults_of_the_data_are_refused_before_anything_istrained(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("{}\n")
    done = CliRunner().invoke(main, ["tune", "train", str(file), "--base", str(DEMO), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "quiver tune check" in done.output
    assert not (tmp_path / "out").exists()


def test_a_quantised_base_takes_little_memory_and_its_adapter_is_served(qdora: Path) -> None:
    verify(qdora, Rules(base.read("quiver-demo", str(DEMO)), max_rank=16))
    held = json.loads((qdora / "lineage.json").read_text())["memory_bytes"]
    assert held["peak"] <= held["estimated"]
    assert held["linear_weights"] < 0.3 * 2 * LINEAR_PARAMETERS


def test_magnitudes_trained_on_a_quantised_base_fit_the_plain_one(data: Path, tmp_path: Path) -> None:
    """At a rate that moves nothing they are the norms of the plain weights: those of the 4 bits are 1 % off."""
    out = tmp_path / "adapter"
    trained(data, out, method="qdora", epochs=1, rate=1e-6)
    plain, file = base.read("quiver-demo", str(DEMO)), out / "adapter_model.safetensors"
    for name, tensor in weights.read(file).items():
        if tensor.is_vector:
            module = name.removeprefix("base_model.model.").removesuffix(".lora_magnitude_vector")
            assert weights.matrix(file, tensor)[:, 0] == pytest.approx(plain.row_norms(module), rel=0.002)


def test_a_run_goes_on_from_an_adapter(data: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "on"
    losses = [line["loss"] for line in trained(data, out, start=whole, epochs=1) if "loss" in line]
    assert losses[0] < 1.5 * json.loads((whole / "lineage.json").read_text())["held_out_loss"]  # 5 without
    lineage = json.loads((out / "lineage.json").read_text())
    assert lineage["start"]["sha256"] == adapter_digest(whole)
    assert "rank 4 and alpha 8: name the same" in trained(data, tmp_path / "other", start=whole, rank=8)[-1]["error"]
