"""The place of objects: a directory, or kubectl's current cluster.

What asks a cluster is imported late: few commands need one.
"""

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path

import click

from contract.adapter import AdapterStatus
from contract.objects import NAMES, InvalidObjectError, Objects
from contract.resource import Key
from contract.snapshot import Snapshot
from operators.local import directory, snapshots
from operators.local.directory import STATE, Contents
from operators.local.disk import disk_obstacle
from operators.local.lock import is_running
from operators.settings import kubeconfig


def contents_of(root: Path | None) -> Contents:
    """The objects as they are declared."""
    return directory.read(root, Contents()) if root else Contents(files={"the cluster": _listed(NAMES, None).all})


def observed(root: Path | None, kinds: Collection[str], namespace: str | None = None) -> Snapshot:
    """Objects with what the current or the last run says of them. In a directory these are all, whatever `kinds` and
    `namespace` are. What cannot be read is said."""
    return _snapshot(root) if root else Snapshot(objects=_listed(kinds, namespace))


def _listed(kinds: Collection[str], namespace: str | None) -> Objects:
    from operators.cluster.listing import listing

    with on_cluster():
        listed = listing(kubeconfig(), kinds, namespace)
    for fact in listed.unread:
        click.echo(f"not shown: {fact}", err=True)
    return listed.objects


def _snapshot(root: Path) -> Snapshot:
    file = root / STATE / "snapshot.json"
    if not is_running(root):
        if not file.exists():
            raise click.ClickException(
                f"{root} has never run, so nothing is known of it; start it with quiver up {root}"
            )
        click.echo(f"{root} is not running: this is how its last run left it; start it with quiver up", err=True)
    elif obstacle := disk_obstacle(root):
        warning = "what is shown may be old, and no change is carried out"
        click.echo(f"{obstacle.fact}: {warning}; {obstacle.remedy}", err=True)
    return snapshots.read(file)


def status_of(root: Path | None, adapter: Key) -> AdapterStatus:
    if root is None:
        from operators.cluster import decisions

        with on_cluster():
            return decisions.status(kubeconfig(), adapter)
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
def on_cluster() -> Iterator[None]:
    """The cluster's errors become errors of the command."""
    from kube.client import ConfigurationError
    from kube.errors import KubeError

    try:
        yield
    except (KubeError, ConfigurationError, InvalidObjectError) as error:
        raise click.ClickException(f"the cluster says: {error}") from error
