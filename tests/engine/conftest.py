"""One bare engine with room for two adapters, for all tests of what the pinned vLLM really does."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from benchmarks.bare_engine import BareEngine, bare_engine
from operators.settings import Settings

ADAPTERS = Path("models/demo/adapters").resolve()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if Settings().engine_python.is_file():
        return
    for item in items:
        if "tests/engine" in str(item.path):
            item.add_marker(pytest.mark.skip(reason="the engine's environment is not there: make setup"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareEngine]:
    with bare_engine(tmp_path_factory.mktemp("engine") / "log", slots=2, cpu_slots=2) as found:
        yield found


@pytest.fixture
async def session(engine: BareEngine) -> AsyncIterator[aiohttp.ClientSession]:
    async with engine.session() as found:
        yield found


@pytest.fixture
def copies(tmp_path: Path) -> dict[str, Path]:
    """The demo's adapters, each in a directory that may be changed."""
    return {path.name: Path(shutil.copytree(path, tmp_path / path.name)) for path in ADAPTERS.iterdir()}
