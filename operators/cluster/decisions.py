"""Decisions by hand about adapters on a cluster, read and written for commands."""

import uuid
from pathlib import Path
from typing import Literal

from contract.adapter import Adapter, AdapterStatus, Decision
from contract.resource import Key
from kube.resource import BY_KIND
from operators.cluster.session import ask
from operators.cluster.stored import DECISION, read


def status(kubeconfig: Path, key: Key) -> AdapterStatus:
    """Raises KubeError, ConfigurationError, and InvalidObjectError for an object of another release."""
    adapter = read(ask(kubeconfig, lambda client: client.get(BY_KIND["Adapter"], key.namespace, key.name))).item
    assert isinstance(adapter, Adapter)  # noqa: S101  # the kind that was asked for
    return adapter.status


def write(
    kubeconfig: Path, key: Key, action: Literal["Promote", "Rollback"], *, against: str | None, digest: str | None
) -> Decision:
    """Replaces the last decision. Raises KubeError, ConfigurationError, and ValidationError for an invalid digest."""
    decision = Decision(id=uuid.uuid4().hex, action=action, against=against, digest=digest)
    text = decision.model_dump_json(by_alias=True, exclude_none=True)
    patch = {"metadata": {"annotations": {DECISION: text}}}
    ask(kubeconfig, lambda client: client.merge(BY_KIND["Adapter"], key.namespace, key.name, patch))
    return decision
