"""The inputs of a training are fetched once, with the same fences as adapters."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contract.job import REFUSED, RESULT
from serving.agent.verify import FILES

ROWS = b'{"prompt": "a", "completion": "b"}\n'


def _fetched(root: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3]),
                   "QUIVER_AGENT_FILE_ROOTS": json.dumps([str(root)])}  # fmt: skip
    command = [sys.executable, "-m", "serving.agent.fetch", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "own" / "style.jsonl"
    file.parent.mkdir()
    file.write_bytes(ROWS)
    return file


def test_a_file_is_fetched_once_and_stays_as_it_was(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "run" / "data.jsonl"
    target.parent.mkdir()
    assert _fetched(data.parent, "--data", data, target).returncode == 0
    assert target.read_bytes() == ROWS
    data.write_bytes(b"other rows")
    assert _fetched(data.parent, "--data", data, target).returncode == 0
    assert target.read_bytes() == ROWS
    assert [path.name for path in target.parent.iterdir()] == ["data.jsonl"]


def test_nothing_is_fetched_for_a_job_that_has_ended(tmp_path: Path) -> None:
    (tmp_path / RESULT).write_text("{}")
    done = _fetched(tmp_path, "--data", tmp_path / "gone.jsonl", tmp_path / "data.jsonl")
    assert done.returncode == 0, done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [RESULT]


def test_earlier_folders_of_the_object_go(data: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for name in (
        "finetune.style.1",
        "finetune.style.2",
        "finetune.style.first",
        "finetune.styled.1",
        "evaluation.style.1",
    ):
        (runs / name).mkdir(parents=True)
    target = runs / "finetune.style.2" / "data.jsonl"
    words = ("--alone", "finetune.style.", "--keep", "finetune.style.first")
    assert _fetched(data.parent, "--data", data, target, *words).returncode == 0
    assert sorted(path.name for path in runs.iterdir()) == [
        "evaluation.style.1", "finetune.style.2", "finetune.style.first", "finetune.styled.1",
    ]  # fmt: skip


def test_other_content_than_the_pinned_is_refused(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "data.jsonl"
    wrong = _fetched(data.parent, "--data", data, target, "--sha256", "0" * 64)
    assert wrong.returncode == REFUSED
    assert "spec.data.digest pins" in json.loads(wrong.stdout)["error"]
    assert not target.exists()
    right = hashlib.sha256(ROWS).hexdigest()
    assert _fetched(data.parent, "--data", data, target, "--sha256", right).returncode == 0


@pytest.mark.parametrize(
    "source", ["/etc/hostname", "/etc/../etc/passwd", "{own}/missing.jsonl", "{own}/", "s3://bucket"]
)
def test_what_is_no_file_of_ones_own_is_refused(data: Path, tmp_path: Path, source: str) -> None:
    done = _fetched(data.parent, "--data", source.format(own=data.parent), tmp_path / "data.jsonl")
    assert done.returncode == REFUSED
    assert json.loads(done.stdout)["error"]
    assert not (tmp_path / "data.jsonl").exists()


def test_an_adapter_to_go_on_from_is_fetched_whole(data: Path, tmp_path: Path) -> None:
    adapter = data.parent / "adapter"
    adapter.mkdir()
    for name in FILES:
        (adapter / name).write_bytes(name.encode())
    start = tmp_path / "run" / "start"
    assert _fetched(data.parent, "--adapter", adapter, start).returncode == 0
    assert {path.name for path in start.iterdir()} == set(FILES)
