"""The first run of a comparison is found by later ones, until the comparison or its questions change."""

from pathlib import Path

import pytest

from contract.job import SCORES
from operators.evaluation.references import first, this_run

QUESTIONS = "q" * 64


def _folder(root: Path, run: str) -> Path:
    folder = root / f"evaluation.golden.{run}"
    folder.mkdir()
    return folder


def test_later_runs_find_the_first_one(tmp_path: Path) -> None:
    one, other = _folder(tmp_path, "abc-1"), _folder(tmp_path, "abc-2")
    begun = this_run(one, QUESTIONS, {"base": [1.0, 0.0]})
    assert (begun.comparison, begun.run) == ("abc", "abc-1")
    assert first(one, begun) == begun
    assert first(one, begun) == begun  # the job was killed, and began again
    assert first(other, this_run(other, QUESTIONS, {"base": [0.0, 0.0]})) == begun
    assert [path.name for path in (tmp_path / "evaluation.golden.reference").iterdir()] == [SCORES]


@pytest.mark.parametrize(("run", "questions"), [("abd-1", QUESTIONS), ("abc-3", "r" * 64)])
def test_another_comparison_or_other_questions_begin_anew(tmp_path: Path, run: str, questions: str) -> None:
    one, other = _folder(tmp_path, "abc-1"), _folder(tmp_path, run)
    first(one, this_run(one, QUESTIONS, {"base": [1.0]}))
    now = this_run(other, questions, {"base": [0.0]})
    assert first(other, now) == now
    assert first(other, now) == now


def test_a_damaged_reference_begins_anew(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "abc-2")
    file = tmp_path / "evaluation.golden.reference" / SCORES
    file.parent.mkdir()
    file.write_text("{")
    now = this_run(folder, QUESTIONS, {"base": [1.0]})
    assert first(folder, now) == now
