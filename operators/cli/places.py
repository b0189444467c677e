"""The place of objects: a directory, or kubectl's current cluster."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click

from contract.adapter import AdapterStatus
from contract.objects import InvalidObjectError
from contract.resource import Key
from operators.local import snapshots
from operators.local.directory import STATE
from operators.settings import kubeconfig


def status_of(root: Path | None, adapter: Key) -> AdapterStatus:
    if root is None:
        with on_cluster() as cluster:
            status: AdapterStatus = cluster.status(kubeconfig(), adapter)
            return status
    file = root / STATE / "snapshot.json"
    if not file.exists():
        raise click.ClickException(
            f"{root} has never run, so its adapters have no state; start it with quiver up {root}"
        )
    statuses = {item.key: item.status for item in snapshots.read(file).objects.adapters}
    if adapter not in statuses:
        names = ", ".join(f"{key.namespace}/{key.name}" for key in statuses) or "none"
        raise click.ClickException(f"{root} runs no {adapter}; it runs {names}")
    return statuses[adapter]


@contextlib.contextmanager
def on_cluster() -> Iterator[ModuleType]:
    """Yields the module of commands for a cluster. The cluster's errors become errors of the command."""
    from kube.client import ConfigurationError
    from kube.errors import KubeError
    from operators.cluster import decisions as cluster  # imported late: few commands need a cluster

    try:
        yield cluster
    except (KubeError, ConfigurationError, InvalidObjectError) as error:
        raise click.ClickException(f"the cluster says: {error}") from error
