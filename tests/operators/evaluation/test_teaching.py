"""A training's teacher: asked once, before the trainer, which gets no key."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contract.fine_tune import Teacher
from contract.job import DATA, QUESTIONS, REFUSED, RESULT, lines

NOBODY = "http://127.0.0.1:1"
TRAINER = ("sh", "-c", "echo trained with \\<$QUIVER_API_KEY\\>")


def _run(folder: Path) -> "subprocess.CompletedProcess[str]":
    teacher = Teacher(model="base").model_dump_json(by_alias=True)
    words = (
        "-m",
        "operators.evaluation.teaching",
        "--folder",
        str(folder),
        "--url",
        NOBODY,
        "--teacher",
        teacher,
        "--",
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[3]), "QUIVER_API_KEY": "secret"}
    command = [sys.executable, *words, *TRAINER]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("file", [DATA, RESULT])
def test_the_teacher_is_not_asked_again_and_the_trainer_gets_no_key(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("{}\n")
    done = _run(tmp_path)
    assert (done.returncode, done.stdout) == (0, "trained with <>\n")


def test_faulty_questions_end_the_job_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / QUESTIONS).write_text(json.dumps({"question": "Why?"}) + "\n{}\n")
    done = _run(tmp_path)
    assert done.returncode == REFUSED
    (line,) = lines(done.stdout)
    assert "line 2: it has no question" in line["error"]
