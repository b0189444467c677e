"""What holds for every test: a blocked event loop fails it."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def blocked_loop_fails() -> Iterator[BlockBuster]:
    with blockbuster_ctx(["serving", "operators", "retrieval", "service", "kube"]) as detector:
        yield detector
