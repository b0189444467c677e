"""`python -m tests` compiles beforehand what tests run against, and says what it does."""

import sys
from collections.abc import Callable
from functools import partial

import pytest

from tests.api_server.binaries import binaries
from tests.api_server.kserve import manager
from tests.charts.helm import program


def _prepare(make: Callable[[], object]) -> None:
    try:
        make()
    except pytest.skip.Exception as reason:
        sys.stderr.write(f"some tests will be skipped: {reason}\n")


if __name__ == "__main__":
    for make in (binaries, manager, partial(program, "helm"), partial(program, "kubeconform")):
        _prepare(make)
