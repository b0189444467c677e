"""Other wordings are kept only where they helped on rows that neither training saw."""

import json
import signal
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
HOW = ("--augmentation", json.dumps({"noise": 0.3, "copies": 1, "templates": ["Hello, {question}"]}))


def test_a_run_that_is_killed_goes_on_and_keeps_the_better_adapter(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "augment"
    with begun("tuning.trainer.augment", data, out, *HOW, epochs=1) as run:
        first = next(line for line in said(run) if line.get("which") == "with" and line["step"])
        run.send_signal(signal.SIGKILL)
    plain = json.loads((out / "plain" / "lineage.json").read_text())
    with begun("tuning.trainer.augment", data, out, *HOW, epochs=1) as run:
        *lines, last = said(run)
    assert all(line["which"] == "with" for line in lines)
    assert first["of"] == plain["steps"]  # as many steps, of more rows
    result = json.loads((out / "augmentation.json").read_text())
    assert last["augmented"] == result
    assert result["is_better"] == (result["gain"]["low"] > 0)
    lineage = json.loads((out / "adapter" / "lineage.json").read_text())
    assert (lineage["augmentation"] is not None) == result["is_better"]
    verify(out / "adapter", Rules(base.read("quiver-demo", str(DEMO)), max_rank=16))
    assert sorted(path.name for path in out.iterdir()) == ["adapter", "augmentation.json"]
