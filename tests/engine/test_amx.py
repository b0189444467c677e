from pathlib import Path

import pytest

from benchmarks.bare_engine import BASE, bare_engine, complete

pytestmark = pytest.mark.timeout(300)


async def test_an_engine_whose_first_request_is_short_answers_it(tmp_path: Path) -> None:
    """Without serving.engine.amx its worker dies, on CPUs that have matrix tiles."""
    with bare_engine(tmp_path / "log") as engine:
        async with engine.session() as session:
            status, answer = await complete(session, BASE, "The", max_tokens=1)
    assert status == 200, answer
