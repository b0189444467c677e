"""The files that the agent shares with its engine."""

import json
import struct
from pathlib import Path

from contract.engine_memory import COUNTS, FORMAT, RESIDENTS
from serving.agent.engine_memory import EngineMemory


def test_residents_are_written_when_they_change(tmp_path: Path) -> None:
    memory, path = EngineMemory(tmp_path), tmp_path / RESIDENTS
    memory.keep(frozenset({"acme.b.1", "acme.a.1"}))
    assert json.loads(path.read_text()) == ["acme.a.1", "acme.b.1"]
    before = path.stat().st_ino
    memory.keep(frozenset({"acme.b.1", "acme.a.1"}))
    assert path.stat().st_ino == before
    memory.keep(None)
    assert json.loads(path.read_text()) == []


def test_a_failed_write_is_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    memory = EngineMemory(folder)
    memory.keep(frozenset({"acme.a.1"}))
    folder.mkdir()
    memory.keep(frozenset({"acme.a.1"}))
    assert json.loads((folder / RESIDENTS).read_text()) == ["acme.a.1"]


def test_requests_are_those_since_the_last_look_and_begin_again_with_an_engine(tmp_path: Path) -> None:
    memory, path = EngineMemory(tmp_path), tmp_path / COUNTS
    assert memory.requests() == (0, 0)
    path.write_bytes(struct.pack(FORMAT, 3, 2))
    assert memory.requests() == (3, 2)
    path.write_bytes(struct.pack(FORMAT, 4, 2))
    assert memory.requests() == (1, 0)
    path.write_bytes(b"broken")
    assert memory.requests() == (0, 0)
    path.write_bytes(struct.pack(FORMAT, 1, 1))
    assert memory.requests() == (1, 1)
