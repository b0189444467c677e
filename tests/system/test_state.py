"""Files of a run that are lost or cut short between two runs: it converges, and what was decided stays decided."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks import quality
from examples.demo.platform import QUIVER, Platform, running
from models.demo.corpus import Example
from operators.local.layout import free_port


def _support(platform: Platform) -> dict[str, Any]:
    found = next(item for item in platform.objects("adapters") if item["metadata"]["name"] == "support")
    status: dict[str, Any] = found.get("status", {})
    return status


def _source(platform: Platform) -> str:
    return str((_support(platform).get("active") or {}).get("source", ""))


def _published_since(platform: Platform, before: int) -> bool:
    return (platform.root / ".quiver" / "snapshot.json").stat().st_mtime_ns != before


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _cut_weights(state: Path) -> None:
    """Of every version that an agent keeps."""
    for path in (state / "store").glob("*/*/adapter_model.safetensors"):
        if len(path.parent.name) == 64:
            path.unlink()
            path.write_bytes(b"half")


# Each is done to the state of a run that has ended, before the next one begins.
DAMAGES: dict[str, Callable[[Path], None]] = {
    "the record": lambda state: _cut(state / "record.sqlite"),
    "the snapshot": lambda state: _cut(state / "snapshot.json"),
    "the ledger of documents": lambda state: _cut(state / "ingest.sqlite"),
    "a decision": lambda state: _cut(next((state / "decisions").glob("*.json"))),
    "versions of adapters": _cut_weights,
}


@pytest.fixture
def rolled_back(tmp_path: Path, questions: list[Example]) -> Path:
    """The directory of a run in which the second version was released and rolled back, and which has ended."""
    root = quality.objects(tmp_path / "objects", questions)
    with running(root, tenants=("acme",), out=sys.stderr) as platform:
        platform.wait_until_ready()
        file = root / "acme.yaml"
        file.write_text(file.read_text().replace("./adapters/acme-support-v1", "./adapters/acme-support-v2"))
        platform.wait_until(lambda: _source(platform).endswith("v2"), what="the second version")
        done = subprocess.run([QUIVER, "rollback", str(root), "acme/support"],
                              capture_output=True, text=True, check=False, timeout=60)  # fmt: skip
        assert done.returncode == 0, done.stderr
        platform.wait_until(lambda: _source(platform).endswith("v1"), what="the rollback")
    return root


def test_what_was_rolled_back_stays_so_whichever_file_is_damaged(rolled_back: Path) -> None:
    for damages in (("the record", "the ledger of documents"), ("the snapshot", "a decision", "versions of adapters")):
        for what in damages:
            DAMAGES[what](rolled_back / ".quiver")
        before = (rolled_back / ".quiver" / "snapshot.json").stat().st_mtime_ns
        with running(rolled_back, tenants=(), out=sys.stderr) as platform:
            platform.wait_until(partial(_published_since, platform, before), what="the first word of this run")
            platform.wait_until_ready()
            assert _source(platform).endswith("v1"), damages
            assert _support(platform)["rejected"]["reason"] == "RolledBack", damages


def test_where_every_record_is_lost_nothing_starts_without_a_word(rolled_back: Path) -> None:
    for name in ("record.sqlite", "snapshot.json"):
        (rolled_back / ".quiver" / name).unlink()
    done = subprocess.run([QUIVER, "up", str(rolled_back), "--port", str(free_port())],
                          capture_output=True, text=True, check=False, timeout=60)  # fmt: skip
    assert done.returncode == 1
    assert "--begin-anew" in done.stderr
