"""An adapter is trained on the demo's base model, in the engine's environment; a run that is killed goes on exactly."""

import hashlib
import json
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from models.demo.corpus import Writer
from models.demo.styles import ADAPTERS
from operators.cli import main
from operators.settings import Settings
from serving.agent import base
from serving.agent.verify import Rules, verify
from tests.tuning.test_rendering import DEMO
from tuning.base import adapter_digest

ENGINE = Settings().engine_python
RECIPE = {"epochs": 2, "rate": 2e-3, "rank": 4, "alpha": 8, "max_length": 512, "patience": 50}
STYLE = ADAPTERS["acme-support-v1"]
LINEAR_PARAMETERS = 1_671_168  # of the demo's base
HEAD = "Answer from these passages only and mark the one you used, like [1]."

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not ENGINE.is_file(), reason="the engine's environment is not there: make setup"),
]


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Questions with passages, answered in a style."""
    writer = Writer(random.Random(5), held=False)
    for _ in range(count):
        (_, example), *_ = writer.scene(2, 1).asked
        passages = "\n".join(f"[{number}] {passage}" for number, passage in enumerate(example.passages, 1))
        texts = {"system": f"{HEAD}\n\n{passages}", "user": example.question, "assistant": STYLE.render(example)}
        yield {"messages": [{"role": role, "content": content} for role, content in texts.items()]}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "style.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(80)))
    return file


def _started(data: Path, out: Path, start: Path | None = None, **recipe: object) -> "subprocess.Popen[str]":
    words = ["--data", data, "--base", DEMO, "--out", out, "--recipe", json.dumps(RECIPE | recipe)]
    words += ["--start", start] if start else []
    environment = {"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [str(ENGINE), "-m", "tuning.trainer", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def _said(trainer: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert trainer.stdout
    return (json.loads(line) for line in trainer.stdout)


def _trained(data: Path, out: Path, start: Path | None = None, **recipe: object) -> list[dict[str, Any]]:
    with _started(data, out, start, **recipe) as trainer:
        return list(_said(trainer))


def _digest(out: Path) -> str:
    return hashlib.sha256((out / "adapter_model.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of a run that nothing broke off."""
    out = tmp_path_factory.mktemp("whole") / "adapter"
    *steps, last = _trained(data, out)
    assert last == {"adapter": str(out)}
    assert steps[-1]["eval_loss"] < steps[0]["eval_loss"]
    return out


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
    with _started(data, out) as trainer:
        for line in _said(trainer):
            if line.get("step", 0) >= at:
                trainer.send_signal(signal.SIGKILL)
                break
    assert not (out / "lineage.json").exists()
    steps = [line["step"] for line in _trained(data, out) if "loss" in line]
    assert steps[0] > 1
    assert _digest(out) == _digest(whole)


def test_another_run_in_the_same_folder_is_refused(data: Path, whole: Path, tmp_path: Path) -> None:
    assert "adapter already" in _trained(data, whole)[-1]["error"]
    out = tmp_path / "begun"
    with _started(data, out) as trainer:
        next(_said(trainer))
        trainer.kill()
    assert "another recipe" in _trained(data, out, rank=8)[-1]["error"]


def test_a_run_that_learns_nothing_makes_no_adapter(data: Path, tmp_path: Path) -> None:
    last = _trained(data, tmp_path / "adapter", rate=1e12)[-1]
    assert "learned nothing" in last.get("error", "")
    assert not (tmp_path / "adapter" / "adapter_model.safetensors").exists()


def test_faults_of_the_data_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("{}\n")
    done = CliRunner().invoke(main, ["tune", "train", str(file), "--base", str(DEMO), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "quiver tune check" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", ["rslora", "dora", "qlora", "qdora"])
def test_each_method_makes_an_adapter_that_is_served(method: str, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "adapter"
    *steps, last = _trained(data, out, method=method, epochs=1)
    assert last == {"adapter": str(out)}
    losses = [step["eval_loss"] for step in steps if "eval_loss" in step]
    assert losses[-1] < losses[0]
    verify(out, Rules(base.read("quiver-demo", str(DEMO)), max_rank=16))
    held = json.loads((out / "lineage.json").read_text())["memory_bytes"]
    assert held["peak"] <= held["estimated"]
    assert (held["linear_weights"] < 0.3 * 2 * LINEAR_PARAMETERS) == method.startswith("q")


def test_a_run_goes_on_from_an_adapter(data: Path, whole: Path, tmp_path: Path) -> None:
    more = data.with_name("more.jsonl")
    more.write_text("".join(json.dumps(row) + "\n" for row in list(rows(120))[80:]))
    first, fresh = (
        next(line["loss"] for line in _trained(more, tmp_path / name, start=start, epochs=1) if "loss" in line)
        for name, start in (("on", whole), ("fresh", None))
    )
    assert first < fresh / 2
    lineage = json.loads((tmp_path / "on" / "lineage.json").read_text())
    assert lineage["start"]["sha256"] == adapter_digest(whole)
    assert "rank 4 and alpha 8: name the same" in _trained(more, tmp_path / "other", start=whole, rank=8)[-1]["error"]
