"""Settings of the plugins. No other module here reads the environment."""

import os
from pathlib import Path

from contract.engine_memory import STORE


def store() -> Path | None:
    """The store of the engine's agent."""
    path = os.environ.get(STORE)
    return Path(path) if path else None
