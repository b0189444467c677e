"""`quiver get`, `describe`, `logs` and `history`."""

from collections import deque
from pathlib import Path

import click
import yaml

from contract.knowledge_base import KnowledgeBase
from contract.objects import NAMES, to_data
from contract.resource import Key
from operators.cli.arguments import adapter_argument, directory_argument, place_argument
from operators.cli.places import observed, status_of
from operators.local import table
from operators.local.directory import STATE

_namespace_option = click.option("--namespace", "-n", help="Show this namespace's objects alone.")


@click.command()
@place_argument
@click.argument("kind", required=False)
@_namespace_option
def get(root: Path | None, kind: str | None, namespace: str | None) -> None:
    """Show objects as the current or last run of DIR, or a cluster, sees them: all, those of KIND, or `documents`."""
    of_documents = kind is not None and kind.lower() in ("document", "documents")
    kinds = frozenset({"KnowledgeBase"}) if of_documents else _kinds(kind)
    snapshot = observed(root, kinds, namespace)
    items = [item for item in snapshot.objects.all if item.kind in kinds and namespace in (None, item.namespace)]
    if of_documents:
        click.echo(table.of_documents([item for item in items if isinstance(item, KnowledgeBase)]))
        return
    click.echo(table.of_objects(items))
    for problem in snapshot.problems:
        click.echo(f"\n{problem.file}: {problem.message}\n  the last readable content of the file stays in force")


@click.command()
@place_argument
@click.argument("kind")
@click.argument("name", metavar="[NAMESPACE/]NAME")
def describe(root: Path | None, kind: str, name: str) -> None:
    """Show one object: its spec, and its status with times."""
    kinds = _kinds(kind)
    namespace, _, short = name.rpartition("/")
    items = [item for item in observed(root, kinds, namespace or None).objects.all if item.kind in kinds]
    item = next((item for item in items if (item.namespace, item.name) == (namespace, short)), None)
    if item is None:
        names = ", ".join(f"{i.namespace}/{i.name}".lstrip("/") for i in items) or "none"
        raise click.ClickException(f"{root or 'the cluster'} has no {kind} {name}; it has {names}")
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
