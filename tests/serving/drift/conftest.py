from pathlib import Path
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from serving.drift.settings import Settings

TOKEN = "a-token-of-the-tests"


class MakeSettings(Protocol):
    def __call__(self, **changes: Any) -> Settings: ...


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Small windows, so that a test is quick; each test has a directory of its own."""

    def make(**changes: Any) -> Settings:
        small = {"reference_size": 60, "window_size": 30, "permutations": 199, "false_alarms": 5.0, "max_tenants": 3}
        return Settings(**{"token": SecretStr(TOKEN), "state": tmp_path / "state", **small, **changes})

    return make
