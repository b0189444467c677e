from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bare_engine import BASE, BareEngine, bare_engine, complete


@pytest.fixture
def fresh_engine(tmp_path: Path) -> Iterator[BareEngine]:
    with bare_engine(tmp_path / "log") as found:
        yield found


async def test_an_engine_whose_first_request_is_short_answers_it(fresh_engine: BareEngine) -> None:
    """Without serving.engine.amx its worker dies, on CPUs that have matrix tiles."""
    async with fresh_engine.session() as session:
        status, answer = await complete(session, BASE, "The", max_tokens=1)
    assert status == 200, answer
