"""The event loop of a process."""

import asyncio
import importlib
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Any


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs on uvloop where it is installed, as uvicorn does, without uvicorn's imports."""
    loops = importlib.import_module("uvloop").new_event_loop if find_spec("uvloop") else None
    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(main)
