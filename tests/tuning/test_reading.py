"""A file is read line by line, every fault with its line."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.reading import LONGEST_LINE, MOST_FAULTS, parsed, read
from tuning.row import Fault, Row

GOOD = [json.dumps({"prompt": f"What is {n}?", "completion": f"It is {n}."}) for n in range(12)]


def _file(folder: Path, *lines: str | bytes, end: bytes = b"\n") -> Path:
    file = folder / "data.jsonl"
    file.write_bytes(b"".join((line if isinstance(line, bytes) else line.encode()) + end for line in lines))
    return file


def test_rows_have_their_lines_and_the_file_its_digest(tmp_path: Path) -> None:
    file = _file(tmp_path, b"\xef\xbb\xbf" + GOOD[0].encode(), "", *GOOD[1:], "  ")
    found = read(file)
    assert not found.faults
    assert [row.line for row in found.rows] == [1, *range(3, 14)]
    assert (found.lines, found.digest) == (12, hashlib.sha256(file.read_bytes()).hexdigest())


@pytest.mark.parametrize(("line", "code"), [
    (b'{"prompt": "caf\xe9", "completion": "x"}', "bad_utf8"), ("{'prompt': 1}", "invalid_json"),
    ('{"prompt": "a", "prompt": "b", "completion": "c"}', "duplicate_key"), ("[" * 100_000, "invalid_json"),
    ('{"prompt": "\\ud800", "completion": "c"}', "lone_surrogate"), ("3", "data_type"),
    ('{"prompt": "' + "x" * LONGEST_LINE + '"}', "line_too_long"),
])  # fmt: skip
def test_a_faulty_line_is_named_and_the_others_are_read(tmp_path: Path, line: str | bytes, code: str) -> None:
    file = _file(tmp_path, *GOOD[:3], line, *GOOD[3:])
    found = read(file)
    assert found.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [(fault.line, fault.code) for fault in found.faults] == [(4, code)]
    assert len(found.rows) == len(GOOD)


def test_a_list_is_refused_once(tmp_path: Path) -> None:
    file = tmp_path / "data.json"
    file.write_text(json.dumps([json.loads(line) for line in GOOD], indent=1))
    found = read(file)
    assert [(fault.line, fault.code) for fault in found.faults] == [(1, "array_not_jsonl")]
    assert found.digest == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("lines", [[], GOOD[:1], GOOD[:9]])
def test_a_file_of_few_rows_is_refused(tmp_path: Path, lines: list[str]) -> None:
    (fault,) = read(_file(tmp_path, *lines)).faults
    assert (fault.line, fault.code) == (0, "too_few")


def test_the_first_faults_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    found = read(_file(tmp_path, *["{}"] * (MOST_FAULTS + 5)))
    assert (len(found.faults), found.faulty) == (MOST_FAULTS, MOST_FAULTS + 5)


@given(st.binary(max_size=200))
def test_any_line_is_a_row_or_a_fault(line: bytes) -> None:
    assert isinstance(parsed(2, line), Row | Fault)
