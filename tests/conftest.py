"""What holds for every test: a blocked event loop fails it."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

# What a test needs beside the packages of `make setup`'s first step, by where it lies.
_NEEDS = {
    "tests/system/": "engine",
    "tests/engine/": "engine",
    "tests/api_server/": "cluster",
    "tests/charts/": "cluster",
}
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
    with blockbuster_ctx(["serving", "operators", "retrieval", "service", "kube"]) as detector:
        yield detector
