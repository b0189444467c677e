"""`quiver keys`."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import click

from contract.api_key import APIKey, Scope, new_key
from contract.names import EMBEDDER
from contract.resource import Key
from contract.tenant import Tenant
from operators.cli.arguments import CLUSTER, NameType, place_argument
from operators.cli.places import contents_of, on_cluster
from operators.local import object_files, snapshots, table
from operators.local.directory import STATE, Contents
from operators.local.object_files import SharedFileError
from operators.settings import kubeconfig


@click.group()
def keys() -> None:
    """API keys of a tenant."""


@keys.command()
@place_argument
@click.option("--tenant", required=True, help="The tenant whose callers will use the key.")
@click.option("--name", type=NameType(), required=True, help="What the key is called.")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires; by default, never.")
@click.option("--model", "models", type=NameType(), multiple=True, help="Allow only this model; may be repeated.")
@click.option("--scope", "scopes", type=click.Choice(get_args(Scope)), multiple=True, default=("inference",),
              show_default=True, help="What the key is for; may be repeated.")  # fmt: skip
def create(
    root: Path | None, tenant: str, name: str, days: int | None, models: tuple[str, ...], scopes: tuple[Scope, ...]
) -> None:
    """Make a key, write its digest to DIR or a cluster, and print the key once."""
    contents = contents_of(root)
    owner = tenant_of(root, contents, tenant)
    _refuse_unknown(contents, owner, models)
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    key, item = new_key(
        owner.spec.namespace, name, secrets.token_bytes(32), expires_at=expires_at, models=models, scopes=scopes
    )
    _refuse_double(contents, item)
    if root:
        write_new(root / f"key-{tenant}-{name}.yaml", item)
    else:
        _create(item)
    click.echo(key)


def _create(item: APIKey) -> None:
    from operators.cluster import listing as cluster

    with on_cluster():
        cluster.create(kubeconfig(), item)


@keys.command("list")
@place_argument
@click.option("--tenant", help="Show only this tenant's keys.")
def listing(root: Path | None, tenant: str | None) -> None:
    """Show the keys: prefix, tenant, expiry, last use."""
    contents = contents_of(root)
    if tenant is not None:
        tenant_of(root, contents, tenant)
    owners = {owner.spec.namespace: owner.name for owner in contents.objects.tenants}
    seen = snapshots.read(root / STATE / "snapshot.json").objects if root else contents.objects
    used = {key.key: key.status.last_used for key in seen.api_keys}
    rows = [
        (
            owners.get(key.namespace, "-"),
            key.name,
            key.spec.prefix,
            _moment(key.spec.expires_at),
            _moment(used.get(key.key)),
            ", ".join(key.spec.models or ()) or "all",
            ", ".join(sorted(key.spec.scopes)),
        )
        for key in contents.objects.api_keys
        if tenant is None or owners.get(key.namespace) == tenant
    ]
    click.echo(table.table(("TENANT", "NAME", "PREFIX", "EXPIRES", "USED", "MODELS", "SCOPES"), rows))


@keys.command()
@place_argument
@click.option("--tenant", required=True, help="Whose key it is.")
@click.option("--name", type=NameType(), required=True, help="What the key is called.")
def revoke(root: Path | None, tenant: str, name: str) -> None:
    """Remove a key: a running gateway refuses it within a second."""
    contents = contents_of(root)
    key = Key(kind="APIKey", namespace=tenant_of(root, contents, tenant).spec.namespace, name=name)
    if key not in (item.key for item in contents.objects.api_keys):
        place = root or CLUSTER
        raise click.ClickException(f"tenant {tenant} has no key {name}; see quiver keys list {place}")
    click.echo(f"{tenant}/{name} is revoked; {_removed(root, key)} is removed")


def _removed(root: Path | None, key: Key) -> str:
    """What held the key, now gone."""
    if root is None:
        from operators.cluster import listing as cluster

        with on_cluster():
            cluster.remove(kubeconfig(), key)
        return str(key)
    try:
        return str(object_files.remove(root, key))
    except SharedFileError as error:
        raise click.ClickException(
            f"{error} holds other objects, too; take the key {key.name} out of it by hand"
        ) from error


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="minutes") if at else "-"


def _refuse_unknown(contents: Contents, tenant: Tenant, models: tuple[str, ...]) -> None:
    """Refuse a key for an unknown model: every request with it would fail without a visible reason."""
    names = [adapter.name for adapter in contents.objects.adapters if adapter.namespace == tenant.spec.namespace]
    names += [base.name for base in contents.objects.base_models if base.spec.allows(tenant.name)]
    names.append(EMBEDDER)
    unknown = next((model for model in models if model not in names), None)
    if unknown:
        raise click.ClickException(
            f"tenant {tenant.name} has no model {unknown}; it has {', '.join(sorted(names)) or 'none'}"
        )


def tenant_of(root: Path | None, contents: Contents, name: str) -> Tenant:
    tenants = {tenant.name: tenant for tenant in contents.objects.tenants}
    if name in tenants:
        return tenants[name]
    faults = "".join(f"; {problem.file} is not readable: {problem.message}" for problem in contents.problems)
    raise click.ClickException(
        f"{root or 'the cluster'} holds no Tenant {name}; it has {', '.join(tenants) or 'none'}{faults}"
    )


def _refuse_double(contents: Contents, item: APIKey) -> None:
    for file, items in contents.files.items():
        if item.key in (other.key for other in items):
            raise click.ClickException(f"{item.key} is in {file} already; choose another --name")


def write_new(path: Path, item: APIKey) -> None:
    try:
        object_files.write(path, item)
    except FileExistsError:
        raise click.ClickException(f"{path} exists; choose another --name, or remove it to revoke that key") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}; no key was made") from error
