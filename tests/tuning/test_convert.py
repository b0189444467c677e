"""A DoRA becomes the best plain LoRA, whose error is said; above a limit nothing is written."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from operators.cli import main
from serving.agent import base
from serving.agent.verify import Rules, verify
from tests.tuning.test_rendering import DEMO
from tests.tuning.training import ENGINE

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not ENGINE.is_file(), reason="the engine's environment is not there: make setup"),
]


def _convert(adapter: Path, out: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["tune", "convert", str(adapter), "--base", str(DEMO), "--out", str(out), *words])


def _left_out(result: Result) -> float:
    assert result.exit_code == 0, result.output
    found = re.search(r"a LoRA of rank \d+, ([\d.]+)% left out", result.output)
    assert found
    return float(found[1])


def test_more_rank_leaves_less_out_and_the_whole_rank_nothing(qdora: Path, tmp_path: Path) -> None:
    part, whole = (
        _left_out(_convert(qdora, tmp_path / str(rank), "--rank", str(rank), "--most-error", "1")) for rank in (64, 256)
    )
    assert part > 5 * whole
    assert whole < 0.5
    for rank in (64, 256):  # the latter is more than a layer has
        verify(tmp_path / str(rank), Rules(base.read("quiver-demo", str(DEMO)), max_rank=256))


def test_above_the_limit_nothing_is_written(qdora: Path, tmp_path: Path) -> None:
    refused = _convert(qdora, tmp_path / "out", "--rank", "1", "--most-error", "0.01")
    assert refused.exit_code == 1
    assert "more than 1%: take a higher --rank" in refused.output
    assert not list(tmp_path.iterdir())


def test_a_plain_adapter_is_served_as_it_is(tmp_path: Path) -> None:
    plain = Path("models/demo/adapters/acme-support-v1").resolve()
    assert "is no DoRA: it is served as it is" in _convert(plain, tmp_path / "out").output
