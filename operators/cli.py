"""`quiver`: runs a directory of objects, shows it, and makes keys."""

import asyncio
import contextlib
import logging
import secrets
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import yaml

from operators.api.api_key import SHOWN_LENGTH, APIKey, APIKeySpec, key_digest, key_from_entropy
from operators.api.names import API_VERSION
from operators.api.objects import AnyObject, to_data
from operators.api.resource import Metadata
from operators.api.snapshot import Snapshot
from operators.local import directory, doctor, snapshots, table
from operators.local.directory import STATE, Contents
from operators.local.layout import Layout, url
from operators.local.lock import AlreadyRunningError, alone
from operators.local.progress import Progress
from operators.local.runner import Runner
from operators.settings import Settings, inherited_environment

DEFAULT_PORT = 8080

_directory = click.argument("root", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group()
def main() -> None:
    """One base model, many tenants: adapters swapped under load, documents with citations."""


@main.command()
@_directory
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="The gateway's port on 127.0.0.1.")
def up(root: Path, port: int) -> None:
    """Run the objects in DIR as processes, and follow edits to the files."""
    settings = Settings()
    _require(settings, port)
    contents = _read(root)
    layout = Layout(
        root=root.resolve(),
        gateway_port=port,
        engine_python=settings.engine_python,
        embedder=settings.embedder.resolve(),
        environment=inherited_environment(),
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    click.echo(f"gateway  {url(port)}/v1")
    click.echo(f"metrics  {url(layout.internal_port)}/metrics  {url(layout.drift_port)}/metrics")
    click.echo(f"logs     {layout.logs}")
    try:
        with alone(layout):
            asyncio.run(_run(layout, contents))
    except AlreadyRunningError as error:
        raise click.ClickException(str(error)) from error


def _require(settings: Settings, port: int) -> None:
    missing = [c for c in doctor.examine(settings.engine_python, settings.embedder, port) if c.needed and not c.holds]
    for check in missing:
        click.echo(f"{check.what}: {check.fact}; {check.remedy}", err=True)
    if missing:
        sys.exit(1)


def _read(root: Path) -> Contents:
    """At the start nothing is running yet that a broken file could spare: say what is wrong, and go on without it."""
    contents = directory.read(root.resolve(), Contents())
    for problem in contents.problems:
        click.echo(f"{problem.file}: {problem.message}", err=True)
    if not contents.objects.base_models:
        raise click.ClickException(f"{root} holds no BaseModel; add a file with one, see examples/demo")
    return contents


async def _run(layout: Layout, contents: Contents) -> None:
    begun, progress = time.monotonic(), Progress()

    def say(snapshot: Snapshot) -> None:
        for line in progress.news(snapshot):
            click.echo(f"{time.monotonic() - begun:7.1f} s  {line}")

    task = asyncio.ensure_future(Runner(layout, contents, on_snapshot=say).run())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
    click.echo("stopped")


@main.command()
@_directory
@click.argument("kind", required=False)
def get(root: Path, kind: str | None) -> None:
    """Show the objects of DIR as the last or present run sees them."""
    snapshot = snapshots.read(root / STATE / "snapshot.json")
    items = [item for item in snapshot.objects.all if kind is None or item.kind.lower() == kind.lower().rstrip("s")]
    click.echo(table.of_objects(items))
    for problem in snapshot.problems:
        click.echo(f"\n{problem.file}: {problem.message}\n  what the file last held stays in force")


@main.command("doctor")
@click.option("--port", default=DEFAULT_PORT, show_default=True)
def examine(port: int) -> None:
    """Say what is missing on this machine, and how to get it."""
    settings = Settings()
    checks = list(doctor.examine(settings.engine_python, settings.embedder, port))
    click.echo(table.of_checks(checks))
    sys.exit(0 if all(check.holds for check in checks) else 1)


@main.group()
def keys() -> None:
    """API keys of a tenant."""


@keys.command()
@_directory
@click.option("--tenant", required=True, help="The tenant whose callers will use the key.")
@click.option("--name", required=True, help="What the key is called.")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires; without, it does not.")
@click.option("--model", "models", multiple=True, help="Narrow the key to this name; may be given again.")
def create(root: Path, tenant: str, name: str, days: int | None, models: tuple[str, ...]) -> None:
    """Make a key, write its digest to DIR, and print the key once."""
    tenants = {t.name: t for t in directory.read(root, Contents()).objects.tenants}
    if tenant not in tenants:
        raise click.ClickException(f"{root} holds no Tenant {tenant}; it has {', '.join(tenants) or 'none'}")
    key = key_from_entropy(secrets.token_bytes(32))
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    item = APIKey(
        api_version=API_VERSION,
        metadata=Metadata(name=name, namespace=tenants[tenant].spec.namespace),
        spec=APIKeySpec(
            sha256=key_digest(key), prefix=key[:SHOWN_LENGTH], expires_at=expires_at, models=models or None
        ),
    )
    _write_new(root / f"key-{tenant}-{name}.yaml", item)
    click.echo(key)


def _write_new(path: Path, item: AnyObject) -> None:
    data = to_data(item)
    data.pop("status", None)
    try:
        with path.open("x") as file:
            yaml.safe_dump(data, file, sort_keys=False)
    except FileExistsError:
        raise click.ClickException(f"{path} exists; choose another --name, or remove it to revoke that key") from None
