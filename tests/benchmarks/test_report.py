"""What a benchmark ends with."""

import json
from pathlib import Path

import pytest

from benchmarks.report import Bar, report


@pytest.mark.parametrize(
    ("bar", "status", "said"),
    [
        (Bar(0.9, 0.8, "of answers"), 0, "holds"),
        (Bar(0.7, 0.8, "of answers"), 1, "MISSED"),
        (Bar(0.01, 0.02, "of answers", at_most=True), 0, "holds"),
        (Bar(0.03, 0.02, "of answers", at_most=True), 1, "MISSED"),
    ],
)
def test_a_missed_bar_is_said_written_and_the_status(
    bar: Bar,
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert report("quality", {"other": Bar(1.0, 0.5, "of answers"), "exact": bar}) == status
    assert capsys.readouterr().out.splitlines()[1].endswith(said)
    written = json.loads((tmp_path / "build" / "bench" / "quality.json").read_text())
    assert written["bars"]["exact"]["holds"] is (status == 0)
