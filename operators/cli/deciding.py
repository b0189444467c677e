"""`quiver promote` and `quiver rollback`."""

import time
from pathlib import Path
from typing import Literal

import click
from pydantic import ValidationError

from contract.adapter import Decision, HistoryEntry, short
from contract.resource import Key
from operators.cli.arguments import adapter_argument, place_argument
from operators.cli.places import on_cluster, status_of
from operators.local import decisions
from operators.local.directory import STATE
from operators.local.lock import is_running
from operators.settings import kubeconfig

DECISION_LIMIT_S = 30.0
DECISION_PERIOD_S = 0.1  # each poll parses the whole snapshot, CPU time that the operator lacks


@click.command()
@place_argument
@adapter_argument
def promote(root: Path | None, adapter: Key) -> None:
    """Release the waiting version of ADAPTER (namespace/name): a canary, or a version taken back earlier."""
    _decide(root, adapter, "Promote", None)


@click.command()
@place_argument
@adapter_argument
@click.option("--to", "digest", metavar="DIGEST", help="The version to return to, as `quiver history` shows it.")
def rollback(root: Path | None, adapter: Key, digest: str | None) -> None:
    """Return ADAPTER (namespace/name) to an earlier version kept in the engines, or end its canary."""
    _decide(root, adapter, "Rollback", digest)


def _decide(root: Path | None, adapter: Key, action: Literal["Promote", "Rollback"], digest: str | None) -> None:
    """Write the decision, and wait for its outcome."""
    active = status_of(root, adapter).active
    active_digest = active.digest if active else None
    try:
        decision = _write(root, adapter, action, active_digest, digest)
    except ValidationError:
        raise click.ClickException(f"{digest} is not a digest; write 6 to 64 of its hexadecimal digits") from None
    entry = _outcome(root, adapter, decision)
    if entry.event == "DecisionRefused":
        raise click.ClickException(f"{adapter}: {entry.message}")
    click.echo(f"{adapter}: {entry.event} {short(entry.digest or '')}; {entry.message}")


def _write(
    root: Path | None,
    adapter: Key,
    action: Literal["Promote", "Rollback"],
    active_digest: str | None,
    digest: str | None,
) -> Decision:
    if root is None:
        from operators.cluster import decisions as cluster

        with on_cluster():
            return cluster.write(kubeconfig(), adapter, action, against=active_digest, digest=digest)
    if not is_running(root):
        raise click.ClickException(f"{root} is not running, so nothing can be decided; start it with quiver up")
    try:
        return decisions.write(root / STATE, adapter, action, against=active_digest, digest=digest)
    except OSError as error:
        reason = f"{root / STATE} cannot be written: {error.strerror}"
        raise click.ClickException(f"{reason}; nothing was decided") from error


def _outcome(root: Path | None, adapter: Key, decision: Decision) -> HistoryEntry:
    """Waits until the decision is refused or every gateway routes accordingly, and returns its history entry."""
    deadline = time.monotonic() + DECISION_LIMIT_S
    while time.monotonic() < deadline:
        status = status_of(root, adapter)
        entry = next((entry for entry in status.history if entry.decision == decision.id), None)
        if entry and (status.routed or entry.event == "DecisionRefused"):
            return entry
        time.sleep(DECISION_PERIOD_S)
    raise click.ClickException(
        f"{adapter}: the decision was not carried out within {DECISION_LIMIT_S:.0f} s; it will be, as soon as every "
        "replica answers with that version; see quiver get"
    )
