"""More adapters than the engine's memory has places for, on an engine of this test."""

import json
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bare_engine import BareEngine, bare_engine, complete, load
from contract.engine_memory import COUNTS, FORMAT, RESIDENTS

ADAPTER = Path("models/demo/adapters/acme-support-v1").resolve()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareEngine]:
    with bare_engine(tmp_path_factory.mktemp("paging") / "log", slots=1, cpu_slots=6) as engine:
        yield engine


def _counts(engine: BareEngine) -> tuple[int, int]:
    """Requests that met their adapter in memory, and others."""
    in_memory, others = struct.unpack(FORMAT, (engine.store / COUNTS).read_bytes())
    return in_memory, others


async def _ask(engine: BareEngine, *names: str) -> tuple[int, int]:
    """How the counts change."""
    before = _counts(engine) if (engine.store / COUNTS).exists() else (0, 0)
    async with engine.session() as session:
        for name in names:
            status, answer = await complete(session, name, "The", max_tokens=1)
            assert status == 200, answer
    after = _counts(engine)
    return after[0] - before[0], after[1] - before[1]


async def test_adapters_leave_memory_by_their_uses_and_residents_stay(engine: BareEngine, tmp_path: Path) -> None:
    names = [f"acme.{letter}.000000000000" for letter in "abcdefgh"]
    async with engine.session() as session:
        for name in names:
            assert (await load(session, name, Path(shutil.copytree(ADAPTER, tmp_path / name))))[0] == 200
    popular, *others, resident = names
    (engine.store / RESIDENTS).write_text(json.dumps([resident]))
    assert await _ask(engine, resident) == (1, 0)  # loaded last
    await _ask(engine, popular, popular, popular, *others, *others)
    assert await _ask(engine, resident, popular) == (2, 0)
    hits, misses = await _ask(engine, *others)
    assert misses >= 2
    assert hits + misses == len(others)


async def test_an_adapter_that_was_away_answers_as_before(engine: BareEngine, tmp_path: Path) -> None:
    prompt = "The refund window"
    async with engine.session() as session:
        _, before = await complete(session, "acme.a.000000000000", prompt)
        for letter in "bcdefgh":
            await complete(session, f"acme.{letter}.000000000000", prompt, max_tokens=1)
        _, after = await complete(session, "acme.a.000000000000", prompt)
    assert after["choices"][0]["text"] == before["choices"][0]["text"]
