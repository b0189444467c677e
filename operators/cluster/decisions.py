"""Decisions by hand about adapters on a cluster, read and written for commands."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, TypeVar

from contract.adapter import Adapter, AdapterStatus, Decision
from contract.resource import Key
from kube.client import Client, connect
from kube.resource import BY_KIND
from operators.cluster.stored import DECISION, read

T = TypeVar("T")


def status(kubeconfig: Path, key: Key) -> AdapterStatus:
    """Raises KubeError, ConfigurationError, and InvalidObjectError for an object of another release."""
    adapter = read(_asked(kubeconfig, lambda client: client.get(BY_KIND["Adapter"], key.namespace, key.name))).item
    assert isinstance(adapter, Adapter)  # noqa: S101  # the kind that was asked for
    return adapter.status


def write(
    kubeconfig: Path, key: Key, action: Literal["Promote", "Rollback"], *, against: str | None, digest: str | None
) -> Decision:
    """Replaces the last decision. Raises KubeError, ConfigurationError, and ValidationError for an invalid digest."""
    decision = Decision(id=uuid.uuid4().hex, action=action, against=against, digest=digest)
    text = decision.model_dump_json(by_alias=True, exclude_none=True)
    patch = {"metadata": {"annotations": {DECISION: text}}}
    _asked(kubeconfig, lambda client: client.merge(BY_KIND["Adapter"], key.namespace, key.name, patch))
    return decision


def _asked(kubeconfig: Path, question: Callable[[Client], Awaitable[T]]) -> T:
    async def ask() -> T:
        async with connect(kubeconfig) as client:
            return await question(client)

    return asyncio.run(ask())
