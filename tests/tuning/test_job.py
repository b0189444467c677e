"""A whole training: its result, its version under its digest, and what a kill at any point leaves."""

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contract.job import DATA, MOST_RESULT, REFUSED, RESULT, lines
from serving.agent import base as bases
from serving.agent.store import Store
from serving.agent.verify import Rules
from tests.tuning.test_rendering import DEMO
from tests.tuning.training import ENGINE, RECIPE
from tuning.base import adapter_digest
from tuning.trainer import checkpoints

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not ENGINE.is_file(), reason="the engine's environment is not there: make setup"),
]


def _begun(data: Path, root: Path, *words: str, **recipe: Any) -> "subprocess.Popen[str]":
    folder = root / "runs" / "style.1"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / DATA).exists():
        (folder / DATA).write_bytes(data.read_bytes())
    command = [ENGINE, "-m", "tuning.trainer.job", "--folder", folder, "--versions", root / "versions", "--base", DEMO,
               "--recipe", json.dumps({**RECIPE, **recipe}), "--most-rank", "16", *words]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True, env=environment)


def _done(data: Path, root: Path, *words: str, **recipe: Any) -> tuple[int, list[Any]]:
    with _begun(data, root, *words, **recipe) as job:
        said = job.stdout.read() if job.stdout else ""
    return job.returncode, lines(said)


@pytest.fixture(scope="module")
def done(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The folder of all trainings, and the result of one."""
    root = tmp_path_factory.mktemp("trainings")
    status, said = _done(data, root, "--result", str(root / "last-words"))
    assert status == 0
    return root, said[-1]["result"]


def test_the_version_is_under_the_digest_by_which_agents_name_it(done: tuple[Path, Any], tmp_path: Path) -> None:
    root, result = done
    version = root / "versions" / result["digest"]
    assert adapter_digest(version) == result["digest"]
    store = Store(tmp_path / "store")
    incoming = store.incoming("acme/styled")
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (incoming / name).write_bytes((version / name).read_bytes())
    rules = Rules(bases.read("quiver-demo", str(DEMO)), max_rank=16)
    assert store.admit(incoming, rules, pinned=result["digest"]) == result["digest"]


def test_the_result_says_where_it_comes_from(done: tuple[Path, Any], data: Path) -> None:
    root, result = done
    assert result["data"] == hashlib.sha256(data.read_bytes()).hexdigest()
    assert json.loads(result["recipe"])["rank"] == RECIPE["rank"]
    assert "peft" in result["code"]
    assert len((root / "last-words").read_bytes()) < MOST_RESULT


def test_examples_and_checkpoints_of_a_finished_training_are_gone(done: tuple[Path, Any]) -> None:
    root, result = done
    assert {path.name for path in (root / "runs" / "style.1").iterdir()} == {RESULT, "seconds"}
    assert [path.name for path in (root / "versions").iterdir()] == [result["digest"]]


def test_a_finished_training_has_the_same_result_again(done: tuple[Path, Any], data: Path) -> None:
    root, result = done
    status, said = _done(data, root)
    assert (status, said[-1]["result"]) == (0, result)


def test_a_killed_training_goes_on_to_the_same_version_and_its_time_adds_up(
    done: tuple[Path, Any], data: Path, tmp_path: Path
) -> None:
    with _begun(data, tmp_path) as job:
        for text in job.stdout or ():
            line = json.loads(text)
            if line.get("step", 0) >= 5:
                job.send_signal(signal.SIGKILL)
                break
    ran = line["ran_s"]
    status, said = _done(data, tmp_path)
    assert status == 0
    assert said[-1]["result"]["digest"] == done[1]["digest"]
    assert said[0]["ran_s"] > ran


def test_a_kill_between_training_and_publishing_loses_nothing(
    done: tuple[Path, Any], data: Path, whole: Path, tmp_path: Path
) -> None:
    """The folder as such a kill leaves it: a trained adapter, and no result."""
    work = tmp_path / "runs" / "style.1" / "work"
    work.mkdir(parents=True)
    for path in whole.iterdir():
        (work / path.name).write_bytes(path.read_bytes())
    assert not checkpoints.folder(work).exists()
    status, said = _done(data, tmp_path)
    assert (status, said[-1]["result"]["digest"]) == (0, done[1]["digest"])
    assert not any("step" in line for line in said)


def test_a_search_has_its_result_in_words(data: Path, tmp_path: Path) -> None:
    status, said = _done(data, tmp_path, "--search", json.dumps({"trials": 2, "minutes": 5}), epochs=1, rate=2e-4)
    assert status == 0
    assert "trials" in said[-1]["result"]["search"]
    assert [line["trial"] for line in said if "trial" in line] == [1, 2]


def test_faults_of_the_data_are_refused_for_good(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("{}\n")
    status, said = _done(file, tmp_path)
    assert status == REFUSED
    assert "faults" in said[-1]["error"]
    assert not (tmp_path / "versions").exists()


def test_other_wordings_have_their_gain_in_words(data: Path, tmp_path: Path) -> None:
    how = json.dumps({"noise": 0.3, "templates": ["Hello, {question}"], "copies": 1})
    status, said = _done(data, tmp_path, "--augmentation", how, epochs=1)
    assert status == 0
    assert "other wordings" in said[-1]["result"]["augmentation"]
    assert {line["which"] for line in said if "which" in line} == {"without", "with"}
