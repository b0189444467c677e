"""`quiver tune check` says what is in a file, or what to mend."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from operators.cli import main
from tests.tuning.test_rendering import DEMO


def _checked(*words: object) -> Result:
    return CliRunner().invoke(main, ["tune", "check", *map(str, words)])


def _file(folder: Path, *rows: object) -> Path:
    file = folder / "data.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def _pair(question: str, answer: str = "yes") -> dict[str, str]:
    return {"prompt": question, "completion": answer}


def test_a_good_file_is_summed_up(tmp_path: Path) -> None:
    rows = [_pair(f"What does part {n} of shop {n * n} cost, and who pays for it?") for n in range(40)]
    done = _checked(_file(tmp_path, *rows, rows[0], _pair(rows[1]["prompt"], "no")), "--base", DEMO)
    assert done.exit_code == 0, done.output
    for said in ("42 rows", "41 stay: 1 are exact copies", "1 questions have several answers, as in the lines 42 and 2",
                 "held out", "tokens of a row: 50 %"):  # fmt: skip
        assert said in done.output


def test_faults_are_listed_and_end_with_an_error(tmp_path: Path) -> None:
    rows = [_pair(f"What does part {n} cost?") for n in range(12)]
    done = _checked(_file(tmp_path, *rows, {"text": "x"}, _pair("What?", "<|end|>")), "--base", DEMO)
    assert done.exit_code == 1
    assert "line 13: text_only" in done.output
    assert "line 14: special_token_in_text" in done.output
    assert "2 faults" in done.output


def test_rows_whose_answer_is_cut_are_counted(tmp_path: Path) -> None:
    rows = [_pair(f"What does part {n} cost?", "word " * 100) for n in range(12)]
    assert "12 rows are longer" in _checked(_file(tmp_path, *rows), "--base", DEMO, "--max-length", 64).output


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    rows = [_pair(f"What does part {n} cost?") for n in range(12)]
    done = _checked(_file(tmp_path, *rows), "--base", tmp_path)
    assert (done.exit_code, "tokenizer.json" in done.output) == (1, True)
