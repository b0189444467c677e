"""`quiver tenant`: what a tenant's people may see and decide, by the management API."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import click

from contract.adapter import AdapterStatus, short
from contract.api_key import Scope
from contract.fine_tune import METHODS, simple_spec
from operators.cli.access import Access
from operators.cli.arguments import NameType
from operators.clients.management import ManagementClient
from operators.clients.public_client import Object, PublicClient
from operators.local import table

DEFAULT_URL = "http://127.0.0.1:9600"
Run = Callable[[Callable[[ManagementClient], Awaitable[Any]]], Any]

name_argument = click.argument("name", metavar="ADAPTER", type=NameType())


@click.group()
@click.option("--url", envvar="QUIVER_MANAGEMENT_URL", default=DEFAULT_URL, show_default=True,
              help="The management API's address (QUIVER_MANAGEMENT_URL).")  # fmt: skip
@click.option("--key", envvar="QUIVER_API_KEY", required=True, help="A key of the tenant (QUIVER_API_KEY).")
@click.pass_context
def tenant(context: click.Context, url: str, key: str) -> None:
    """The adapters, trainings, keys and usage of the key's tenant, on a cluster or on this machine.

    Deciding about adapters, trainings and keys needs the scope `admin`.
    """
    access = Access(url, key, "management API")

    def run(work: Callable[[ManagementClient], Awaitable[Any]]) -> Any:
        async def as_tenant(client: PublicClient) -> Any:
            return await work(await ManagementClient.of(client))

        return access.run(as_tenant)

    context.obj = run


@tenant.command()
@click.pass_obj
def who(run: Run) -> None:
    """Show the key's tenant, role and scopes."""
    identity = run(_identity)
    click.echo(f"{identity['actor']} of {identity['tenant']}: {identity['role']} ({', '.join(identity['scopes'])})")


@tenant.command()
@click.pass_obj
def adapters(run: Run) -> None:
    """List the adapters: version, trial, and why one is not ready."""
    rows = [_adapter_row(item) for item in run(lambda client: client.rows("adapters"))]
    click.echo(table.table(("NAME", "READY", "VERSION", "TRIAL", "MESSAGE"), rows))


@tenant.command()
@name_argument
@click.pass_obj
def history(run: Run, name: str) -> None:
    """Show the history of ADAPTER with reasons, newest first."""
    adapter = run(lambda client: client.get(f"adapters/{name}"))
    click.echo(table.of_history(AdapterStatus.model_validate(adapter["status"])))


@tenant.command()
@name_argument
@click.pass_obj
def promote(run: Run, name: str) -> None:
    """Release the waiting version of ADAPTER: a canary, or a version taken back earlier."""
    _say_decision(name, run(lambda client: client.decide(name, "promote", None)))


@tenant.command()
@name_argument
@click.option("--to", "digest", metavar="DIGEST", help="The version to return to, as `history` shows it.")
@click.pass_obj
def rollback(run: Run, name: str, digest: str | None) -> None:
    """Return ADAPTER to an earlier version kept in the engines, or end its canary."""
    _say_decision(name, run(lambda client: client.decide(name, "rollback", digest)))


@tenant.command("keys")
@click.pass_obj
def list_keys(run: Run) -> None:
    """List the keys: prefix, expiry, last use, scopes."""
    rows = [
        (
            key["name"],
            key["prefix"],
            key["expires_at"] or "-",
            key["last_used"] or "-",
            ", ".join(key["models"] or ()) or "all",
            ", ".join(key["scopes"]),
        )
        for key in run(lambda client: client.rows("keys"))
    ]
    click.echo(table.table(("NAME", "PREFIX", "EXPIRES", "USED", "MODELS", "SCOPES"), rows))


@tenant.command("create-key")
@click.argument("name", type=NameType())
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires; by default, never.")
@click.option("--model", "models", type=NameType(), multiple=True, help="Allow only this model; may be repeated.")
@click.option("--scope", "scopes", type=click.Choice(get_args(Scope)), multiple=True, default=("inference",),
              show_default=True, help="What the key is for; may be repeated.")  # fmt: skip
@click.pass_obj
def create_key(run: Run, name: str, days: int | None, models: tuple[str, ...], scopes: tuple[Scope, ...]) -> None:
    """Make a key called NAME, and print it once."""
    body = {"name": name, "scopes": list(scopes), "models": list(models)} | ({"days": days} if days else {})
    click.echo(run(lambda client: client.make_key(body))["key"])


@tenant.command("revoke-key")
@click.argument("name", type=NameType())
@click.pass_obj
def revoke_key(run: Run, name: str) -> None:
    """Revoke the key NAME: it is refused once this returns."""
    run(lambda client: client.revoke_key(name))
    click.echo(f"{name} is revoked")


@tenant.command()
@click.pass_obj
def trainings(run: Run) -> None:
    """List the trainings: progress, and what came of each."""
    rows = [_training_row(item) for item in run(lambda client: client.rows("fine_tunes"))]
    click.echo(table.table(("NAME", "READY", "STEP", "OF", "MESSAGE"), rows))


@tenant.command()
@click.argument("name", type=NameType())
@click.argument("data", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--base-model", required=True, help="The base model to train on.")
@click.option("--method", type=click.Choice(METHODS), default="LoRA", show_default=True, help="How it is trained.")
@click.option("--learning-rate", type=float, help="The highest rate; 0.0002 by default, for models of billions.")
@click.option("--epochs", type=click.IntRange(1, 100), help="Passes over the examples; 3 by default.")
@click.option("--teacher", default="", help="FILE has questions, which this model answers; the answers are learned.")
@click.option("--knowledge-base", "knowledge_bases", multiple=True, help="The teacher's documents; may be repeated.")
@click.pass_obj
def train(
    run: Run, name: str, data: Path, base_model: str, method: str, learning_rate: float | None, epochs: int | None,
    teacher: str, knowledge_bases: tuple[str, ...],
) -> None:  # fmt: skip
    """Upload FILE and train an adapter called NAME on it (docs/tuning.md)."""
    if knowledge_bases and not teacher:
        raise click.UsageError("--knowledge-base is for a --teacher: name one.")
    spec = simple_spec(
        name, base_model, method, rate=learning_rate, epochs=epochs, teacher=teacher, bases=knowledge_bases
    )
    run(lambda client: client.begin_training(name, data, spec))
    click.echo(f"the training {name} begins: quiver tenant trainings shows how far it is")


@tenant.command("remove-training")
@click.argument("name", type=NameType())
@click.pass_obj
def remove_training(run: Run, name: str) -> None:
    """End the training NAME. An adapter of it that already answers stays."""
    run(lambda client: client.remove_training(name))
    click.echo(f"the training {name} is removed")


@tenant.command()
@click.pass_obj
def usage(run: Run) -> None:
    """Show the limits, and what is left of them in this minute."""
    used = run(lambda client: client.get("usage"))
    rows = [
        ("requests a minute", _limit(used["requests_per_minute"]), _limit(used["requests_left"])),
        ("tokens a minute", _limit(used["tokens_per_minute"]), _limit(used["tokens_left"])),
        ("requests at a time", _limit(used["concurrent_requests"]), "-"),
        ("files", str(used["documents"]["max_files"]), str(used["documents"]["max_files"] - used["files"])),
        ("bytes of files", str(used["documents"]["max_bytes"]), str(used["documents"]["max_bytes"] - used["bytes"])),
    ]
    click.echo(table.table(("LIMIT", "OF", "LEFT"), rows))


@tenant.command()
@click.pass_obj
def changes(run: Run) -> None:
    """Show the last 100 changes: who changed what, when, from where."""
    rows = [
        (each["at"], each["actor"], each["action"], each["subject"], str(each["outcome"] or "-"), each["address"])
        for each in run(lambda client: client.rows("changes"))
    ]
    click.echo(table.table(("AT", "BY", "ACTION", "OBJECT", "OUTCOME", "FROM"), rows))


async def _identity(client: ManagementClient) -> Object:
    return client.identity


def _adapter_row(item: Object) -> tuple[str, ...]:
    status = item["status"]
    canary = status.get("canary")
    trial = f"{_short(canary)} {canary['weight']} %" if canary else "-"
    message = f"{item['reason']}: {item['message']}" if item["reason"] else ""
    return (item["metadata"]["name"], str(item["ready"]), _short(status.get("active")), trial, message)


def _training_row(item: Object) -> tuple[str, ...]:
    training = item["status"].get("training") or {}
    steps = (str(training.get("step", "-")), str(training.get("steps", "-")))
    message = f"{item['reason']}: {item['message']}" if item["reason"] else ""
    return (item["metadata"]["name"], str(item["ready"]), *steps, message)


def _short(version: Mapping[str, Any] | None) -> str:
    return short((version or {}).get("digest") or "-")


def _say_decision(name: str, entry: Object) -> None:
    click.echo(f"{name}: {entry['event']} {_short(entry)}; {entry['message']}")


def _limit(value: int | None) -> str:
    return "-" if value is None else str(value)
