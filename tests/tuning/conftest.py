"""Adapters that are trained once for all tests of the trainer."""

import json
from pathlib import Path

import pytest

from tests.tuning.training import rows, trained


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "style.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(80)))
    return file


@pytest.fixture(scope="session")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of a run that nothing broke off."""
    out = tmp_path_factory.mktemp("whole") / "adapter"
    *steps, last = trained(data, out)
    assert last == {"adapter": str(out)}
    assert steps[-1]["eval_loss"] < steps[0]["eval_loss"]
    return out


@pytest.fixture(scope="session")
def qdora(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DoRA of a base in 4 bits."""
    out = tmp_path_factory.mktemp("qdora") / "adapter"
    *steps, last = trained(data, out, method="qdora", epochs=1)
    assert last == {"adapter": str(out)}
    losses = [step["eval_loss"] for step in steps if "eval_loss" in step]
    assert losses[-1] < losses[0]
    return out
