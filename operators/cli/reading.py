"""`quiver get`, `describe`, `logs` and `history`."""

from collections import deque
from pathlib import Path

import click
import yaml

from contract.objects import NAMES, to_data
from contract.resource import Key
from contract.snapshot import Snapshot
from operators.cli.arguments import adapter_argument, directory_argument, place_argument
from operators.cli.places import status_of
from operators.local import snapshots, table
from operators.local.directory import STATE
from operators.local.disk import disk_obstacle
from operators.local.lock import is_running


@click.command()
@directory_argument
@click.argument("kind", required=False)
def get(root: Path, kind: str | None) -> None:
    """Show the objects of DIR as the current or last run sees them: all, those of KIND, or `documents`."""
    if kind and kind.lower() in ("document", "documents"):
        click.echo(table.of_documents(_snapshot(root).objects.knowledge_bases))
        return
    kinds = _kinds(kind)
    snapshot = _snapshot(root)
    click.echo(table.of_objects([item for item in snapshot.objects.all if item.kind in kinds]))
    for problem in snapshot.problems:
        click.echo(f"\n{problem.file}: {problem.message}\n  the last readable content of the file stays in force")


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


@click.command()
@directory_argument
@click.argument("kind")
@click.argument("name", metavar="[NAMESPACE/]NAME")
def describe(root: Path, kind: str, name: str) -> None:
    """Show one object of DIR: its spec, and its status with times."""
    kinds = _kinds(kind)
    namespace, _, short = name.rpartition("/")
    items = [item for item in _snapshot(root).objects.all if item.kind in kinds]
    item = next((item for item in items if (item.namespace, item.name) == (namespace, short)), None)
    if item is None:
        names = ", ".join(f"{i.namespace}/{i.name}".lstrip("/") for i in items) or "none"
        raise click.ClickException(f"{root} has no {kind} {name}; it has {names}")
    click.echo(yaml.safe_dump(to_data(item), sort_keys=False, allow_unicode=True).rstrip())


@click.command()
@directory_argument
@click.argument("part", required=False)
@click.option("--lines", type=click.IntRange(1, 100_000), default=40, show_default=True, help="Lines from the end.")
def logs(root: Path, part: str | None, lines: int) -> None:
    """Show the end of the log of PART (gateway, engine-NAME, …), or list the parts."""
    folder = root / STATE / "logs"
    names = sorted(path.stem for path in folder.glob("*.log"))
    if part is None:
        click.echo("\n".join(names) or f"{root} has no logs: it has never run")
        return
    if part not in names:
        raise click.ClickException(f"{root} has no log of {part}; it has {', '.join(names) or 'none'}")
    with (folder / f"{part}.log").open(errors="replace") as file:
        click.echo("".join(deque(file, lines)).rstrip())


def _kinds(word: str | None) -> frozenset[str]:
    """The kind named by a word, in the singular or the plural; all kinds without a word."""
    kinds = frozenset(kind for kind in NAMES if word is None or word.lower() in (kind.lower(), f"{kind.lower()}s"))
    if not kinds:
        raise click.ClickException(f"{word} is not a valid kind; the kinds are {', '.join(sorted(NAMES))}")
    return kinds


@click.command()
@place_argument
@adapter_argument
def history(root: Path | None, adapter: Key) -> None:
    """Show the history of ADAPTER (namespace/name) with reasons, newest first."""
    status = status_of(root, adapter)
    click.echo(table.of_history(status))
