"""One question to a cluster, for commands."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from kube.client import Client, connect

T = TypeVar("T")


def ask(kubeconfig: Path, question: Callable[[Client], Awaitable[T]]) -> T:
    """Raises KubeError and ConfigurationError."""

    async def asked() -> T:
        async with connect(kubeconfig) as client:
            return await question(client)

    return asyncio.run(asked())
