"""A search that is killed goes on, and keeps a winner that is better on rows that no trial saw."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from serving.agent import base
from serving.agent.verify import Rules, verify
from tests.tuning.test_rendering import DEMO
from tests.tuning.training import ENGINE, begun, said

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not ENGINE.is_file(), reason="the engine's environment is not there: make setup"),
]


def _started(data: Path, out: Path) -> "subprocess.Popen[str]":
    budget = ("--trials", 3, "--minutes", 30, "--most-rank", 16)
    return begun("tuning.trainer.search", data, out, *budget, epochs=1, rate=2e-4)


def test_a_search_that_is_killed_goes_on(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "search"
    with _started(data, out) as search:
        first = next(line for line in said(search) if "trial" in line)
        search.send_signal(signal.SIGKILL)
    assert (first["trial"], first["state"]) == (1, "complete")
    with _started(data, out) as search:
        *lines, last = said(search)
    assert [line["trial"] for line in lines if "trial" in line] == [2, 3]
    found = json.loads((out / "search.json").read_text())
    assert last["result"] == found
    assert found["trials"] == 3
    assert found["is_better"] == (found["gain"]["low"] > 0)
    assert (found["recipe"]["rate"] != 2e-4) == found["is_better"]
    verify(out / "adapter", Rules(base.read("quiver-demo", str(DEMO)), max_rank=16))
    assert not (out / "trials").exists()
    with _started(data, out) as again:
        assert "has the result of a search already" in list(said(again))[-1]["error"]
