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
    """Each test has a directory of its own."""

    def make(**changes: Any) -> Settings:
        return Settings(**{"token": SecretStr(TOKEN), "state": tmp_path / "state", "max_tenants": 3, **changes})

    return make
