"""`quiver`: runs a directory of objects, shows it, and makes keys."""

import asyncio
import contextlib
import logging
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Literal

import click
import yaml
from pydantic import TypeAdapter, ValidationError

from operators.api.adapter import AdapterStatus, Decision, HistoryEntry
from operators.api.api_key import SHOWN_LENGTH, APIKey, APIKeySpec, key_digest, key_from_entropy
from operators.api.names import API_VERSION
from operators.api.objects import NAMES, AnyObject, InvalidObjectError, to_data
from operators.api.resource import Key, Metadata
from operators.api.snapshot import Snapshot
from operators.api.tenant import Tenant
from operators.api.value import Name
from operators.local import decisions, directory, doctor, snapshots, table
from operators.local.directory import STATE, Contents
from operators.local.layout import Layout, url
from operators.local.lock import AlreadyRunningError, alone, is_running
from operators.local.progress import Progress
from operators.settings import Settings, fetching_environment, inherited_environment, kubeconfig

DEFAULT_PORT = 8080
# In place of a directory.
CLUSTER = "cluster"
DECISION_LIMIT_S = 30.0
DECISION_PERIOD_S = 0.1  # each look parses the whole snapshot, on cores that the change itself needs


class _NameType(click.ParamType[str]):
    """A name as objects have it."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return TypeAdapter(Name).validate_python(value)
        except ValidationError:
            rule = "write lower-case letters, digits and hyphens, 63 at most, with no hyphen at either end"
            self.fail(f"{value!r} is no name; {rule}", param, ctx)


class _AdapterType(click.ParamType[Key]):
    """An adapter, by its namespace and its name."""

    name = "namespace/name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Key:
        namespace, slash, name = value.partition("/")
        if not (namespace and slash and name):
            self.fail(f"{value!r} is no adapter; write namespace/name", param, ctx)
        return Key(kind="Adapter", namespace=namespace, name=name)


class _PlaceType(click.ParamType[Path | None]):
    """A directory of objects, or the cluster that kubectl would ask."""

    name = "DIR|cluster"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Path | None:
        return None if value == CLUSTER else Path(_path.convert(value, param, ctx))


_path = click.Path(exists=True, file_okay=False, path_type=Path)
_directory = click.argument("root", metavar="DIR", type=_path)
_place = click.argument("place", metavar="DIR|cluster", type=_PlaceType())
_adapter = click.argument("adapter", metavar="ADAPTER", type=_AdapterType())
_port = click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True,
                     help="The gateway's port on 127.0.0.1.")  # fmt: skip


@click.group()
def main() -> None:
    """One base model, many tenants: adapters swapped under load, documents with citations."""


@main.command()
@_directory
@_port
def up(root: Path, port: int) -> None:
    """Run the objects in DIR as processes, and follow edits to the files."""
    settings = Settings()
    _require(settings, port, root)
    contents = _read(root)
    layout = Layout(
        root=root.resolve(),
        gateway_port=port,
        engine_python=settings.engine_python,
        embedder=settings.embedder.resolve(),
        environment=inherited_environment(),
        fetching=fetching_environment(),
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    click.echo(f"gateway  {url(port)}/v1")
    click.echo(f"metrics  {url(layout.internal_port)}/metrics  {url(layout.drift_port)}/metrics")
    click.echo(f"logs     {layout.logs}")
    try:
        with alone(layout):
            if aside := snapshots.keep_unreadable(layout.snapshot):
                click.echo(f"{aside} is not from this release: earlier versions and rollbacks are not known", err=True)
            asyncio.run(_run(layout, contents))
    except AlreadyRunningError as error:
        raise click.ClickException(str(error)) from error


def _require(settings: Settings, port: int, root: Path) -> None:
    checks = doctor.examine(settings.engine_python, settings.embedder, port, root)
    missing = [check for check in checks if check.needed and not check.holds]
    for check in missing:
        click.echo(f"{check.what}: {check.fact}; {check.remedy}", err=True)
    if missing:
        sys.exit(1)


def _read(root: Path) -> Contents:
    """At the start nothing is running yet that a broken file could spare: say what is wrong, and go on without it."""
    contents = directory.read(root.resolve(), Contents())
    for problem in contents.problems:
        click.echo(f"{problem.file}: {problem.message}", err=True)
    if contents.unread:
        click.echo("until every file is readable no document is indexed and no tenant's record removed", err=True)
    if not contents.objects.base_models:
        raise click.ClickException(f"{root} holds no BaseModel; add a file with one, see examples/demo")
    return contents


async def _run(layout: Layout, contents: Contents) -> None:
    from operators.local.runner import Runner  # a third of a second that only this command has to spend

    begun, progress = time.monotonic(), Progress()

    def say(snapshot: Snapshot) -> None:
        for line in progress.news(snapshot):
            click.echo(f"{time.monotonic() - begun:7.1f} s  {line}")

    runner = Runner(layout, contents, on_snapshot=say)
    task = asyncio.ensure_future(runner.run())

    def stop() -> None:
        """The second time whoever asks does not want to wait."""
        if not task.cancelling():
            task.cancel()
        else:
            runner.kill()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await task
    click.echo("stopped")


@main.command()
@_directory
@click.argument("kind", required=False)
def get(root: Path, kind: str | None) -> None:
    """Show the objects of DIR as the last or present run sees them."""
    wanted = _kinds(kind)
    snapshot = snapshots.read(root / STATE / "snapshot.json")
    if not is_running(root):
        click.echo(f"{root} is not running: this is how its last run left it; start it with quiver up", err=True)
    click.echo(table.of_objects([item for item in snapshot.objects.all if item.kind in wanted]))
    for problem in snapshot.problems:
        click.echo(f"\n{problem.file}: {problem.message}\n  what the file last held stays in force")


def _kinds(word: str | None) -> frozenset[str]:
    """The kinds that a word means: one, in the singular or the plural, or without a word all."""
    found = frozenset(kind for kind in NAMES if word is None or word.lower() in (kind.lower(), f"{kind.lower()}s"))
    if not found:
        raise click.ClickException(f"{word} is no kind; the kinds are {', '.join(sorted(NAMES))}")
    return found


@main.command()
@_place
@_adapter
def promote(place: Path | None, adapter: Key) -> None:
    """Release the version of ADAPTER (namespace/name) that waits: a canary, or one that was taken back."""
    _decide(place, adapter, "Promote", None)


@main.command()
@_place
@_adapter
@click.option("--to", "digest", metavar="DIGEST", help="The version to return to, as `quiver history` shows it.")
def rollback(place: Path | None, adapter: Key, digest: str | None) -> None:
    """Return ADAPTER (namespace/name) to an earlier version that the engines still hold, or end its canary."""
    _decide(place, adapter, "Rollback", digest)


@main.command()
@_place
@_adapter
def history(place: Path | None, adapter: Key) -> None:
    """Show what ADAPTER (namespace/name) has pointed to, and why, the newest first."""
    status = _status(place, adapter)
    click.echo(table.of_history(status))


def _decide(place: Path | None, adapter: Key, action: Literal["Promote", "Rollback"], digest: str | None) -> None:
    """Write the decision, and wait for what came of it."""
    active = _status(place, adapter).active
    against = active.digest if active else None
    try:
        decision = _write(place, adapter, action, against, digest)
    except ValidationError:
        raise click.ClickException(f"{digest} is no digest; write 6 to 64 of its hexadecimal digits") from None
    entry = _outcome(place, adapter, decision)
    if entry.event == "DecisionRefused":
        raise click.ClickException(f"{adapter}: {entry.message}")
    click.echo(f"{adapter}: {entry.event} {(entry.digest or '')[:12]}; {entry.message}")


def _write(
    place: Path | None,
    adapter: Key,
    action: Literal["Promote", "Rollback"],
    against: str | None,
    digest: str | None,
) -> Decision:
    if place is None:
        with _cluster() as cluster:
            written: Decision = cluster.write(kubeconfig(), adapter, action, against=against, digest=digest)
            return written
    if not is_running(place):
        raise click.ClickException(f"{place} is not running, so nothing can be decided; start it with quiver up")
    try:
        return decisions.write(place / STATE, adapter, action, against=against, digest=digest)
    except OSError as error:
        fact = f"{place / STATE} cannot be written: {error.strerror}"
        raise click.ClickException(f"{fact}; nothing was decided") from error


def _outcome(place: Path | None, adapter: Key, decision: Decision) -> HistoryEntry:
    """Once every gateway routes by it, unless it was refused."""
    deadline = time.monotonic() + DECISION_LIMIT_S
    while time.monotonic() < deadline:
        status = _status(place, adapter)
        entry = next((entry for entry in status.history if entry.decision == decision.id), None)
        if entry and (status.routed or entry.event == "DecisionRefused"):
            return entry
        time.sleep(DECISION_PERIOD_S)
    raise click.ClickException(
        f"{adapter} did not follow within {DECISION_LIMIT_S:.0f} s; it does as soon as every replica answers with that "
        "version, see quiver get"
    )


def _status(place: Path | None, adapter: Key) -> AdapterStatus:
    if place is None:
        with _cluster() as cluster:
            status: AdapterStatus = cluster.status(kubeconfig(), adapter)
            return status
    found = {item.key: item.status for item in snapshots.read(place / STATE / "snapshot.json").objects.adapters}
    if adapter not in found:
        known = ", ".join(f"{key.namespace}/{key.name}" for key in found) or "none"
        raise click.ClickException(f"{place} runs no {adapter}; it runs {known}")
    return found[adapter]


@contextlib.contextmanager
def _cluster() -> Iterator[ModuleType]:
    """The functions that ask one; what it refuses is said as kubectl would."""
    from operators.controllers import decisions as cluster  # a client for clusters that only these commands need
    from operators.kube.client import ConfigurationError
    from operators.kube.errors import KubeError

    try:
        yield cluster
    except (KubeError, ConfigurationError, InvalidObjectError) as error:
        raise click.ClickException(f"the cluster says: {error}") from error


@main.command("doctor")
@_port
@click.argument("root", metavar="DIR", type=_path, default=".")
def examine(port: int, root: Path) -> None:
    """Say what this machine lacks for a run of DIR, and how to get it."""
    settings = Settings()
    checks = list(doctor.examine(settings.engine_python, settings.embedder, port, root))
    click.echo(table.of_checks(checks))
    sys.exit(0 if all(check.holds for check in checks) else 1)


@main.group()
def keys() -> None:
    """API keys of a tenant."""


@keys.command()
@_directory
@click.option("--tenant", required=True, help="The tenant whose callers will use the key.")
@click.option("--name", type=_NameType(), required=True, help="What the key is called.")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires; without, it does not.")
@click.option(
    "--model", "models", type=_NameType(), multiple=True, help="Narrow the key to this name; may be given again."
)
def create(root: Path, tenant: str, name: str, days: int | None, models: tuple[str, ...]) -> None:
    """Make a key, write its digest to DIR, and print the key once."""
    contents = directory.read(root, Contents())
    key = key_from_entropy(secrets.token_bytes(32))
    item = APIKey(
        api_version=API_VERSION,
        metadata=Metadata(name=name, namespace=_tenant(root, contents, tenant).spec.namespace),
        spec=APIKeySpec(
            sha256=key_digest(key),
            prefix=key[:SHOWN_LENGTH],
            expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
            models=models or None,
        ),
    )
    _refuse_double(contents, item)
    _write_new(root / f"key-{tenant}-{name}.yaml", item)
    click.echo(key)


def _tenant(root: Path, contents: Contents, name: str) -> Tenant:
    tenants = {tenant.name: tenant for tenant in contents.objects.tenants}
    if name in tenants:
        return tenants[name]
    faults = "".join(f"; {problem.file} is not readable: {problem.message}" for problem in contents.problems)
    raise click.ClickException(f"{root} holds no Tenant {name}; it has {', '.join(tenants) or 'none'}{faults}")


def _refuse_double(contents: Contents, item: APIKey) -> None:
    for file, items in contents.files.items():
        if item.key in (other.key for other in items):
            raise click.ClickException(f"{item.key} is in {file} already; choose another --name")


def _write_new(path: Path, item: AnyObject) -> None:
    data = to_data(item)
    data.pop("status", None)
    try:
        with path.open("x") as file:
            yaml.safe_dump(data, file, sort_keys=False)
    except FileExistsError:
        raise click.ClickException(f"{path} exists; choose another --name, or remove it to revoke that key") from None
    except OSError as error:
        path.unlink(missing_ok=True)
        raise click.ClickException(f"{path} cannot be written: {error.strerror}; no key was made") from error
