"""What holds for every test: a blocked event loop fails it. And for all together: their memory is bounded."""

import resource
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

# What a test needs beside the packages of `make setup`'s first step, by where it lies.
_NEEDS = {
    "tests/system/": "engine",
    "tests/engine/": "engine",
    "tests/api_server/": "cluster",
    "tests/charts/": "cluster",
}
# On a busy machine the first text takes seconds, and an example longer than 200 ms; neither is a fault.
settings.register_profile("quiver", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quiver")

MOST_BYTES = 4 << 30  # of the process that runs the tests
_STORE_FIXTURES = frozenset({"milvus", "model", "embedder"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for folder, marker in _NEEDS.items():
            if folder in item.path.as_posix():
                item.add_marker(marker)
        if _STORE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("store")


@pytest.fixture(autouse=True)
def blocked_loop_fails() -> Iterator[BlockBuster]:
    with blockbuster_ctx(["serving", "operators", "retrieval", "service", "kube", "console"]) as detector:
        yield detector


@pytest.fixture(scope="session", autouse=True)
def memory_stays_bounded() -> Iterator[None]:
    """An application that ended must free its models: on a machine that swaps, engines do not start in time."""
    yield
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert peak_bytes < MOST_BYTES, f"this process took {peak_bytes >> 20} MB of memory"
