"""The objects of a cluster at one moment, and keys written to it, for commands."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from contract.api_key import APIKey
from contract.objects import AnyObject, InvalidObjectError, Objects, collect, parse_stored, to_data
from contract.resource import Key
from kube.client import Client
from kube.errors import KubeError
from kube.resource import BY_KIND, OURS, Resource
from operators.cluster.session import ask


@dataclass(frozen=True)
class Listing:
    """`unread` says of kinds and objects why they could not be read."""

    objects: Objects
    unread: tuple[str, ...] = ()


def listing(kubeconfig: Path, kinds: Collection[str], namespace: str | None = None) -> Listing:
    """Objects of `kinds`, in one namespace or in all. Cluster-wide kinds belong to no namespace. Raises KubeError if
    nothing can be read, and ConfigurationError."""
    return ask(kubeconfig, lambda client: _listed(client, [each for each in OURS if each.kind in kinds], namespace))


async def _listed(client: Client, resources: Collection[Resource], namespace: str | None) -> Listing:
    items: list[AnyObject] = []
    unread: list[str] = []
    refusal: KubeError | None = None
    for resource in resources:
        if namespace and not resource.namespaced:
            continue
        try:
            stored, _ = await client.list(resource, namespace=namespace)
        except KubeError as error:
            if not (error.terminal or error.missing):
                raise
            refusal = error
            unread.append(f"{resource.plural}: {error.message}")
            continue
        for data in stored:
            try:
                items.append(parse_stored(data))
            except InvalidObjectError as error:
                unread.append(f"{resource.kind} {data['metadata']['name']} is of another release: {error}")
    if refusal and not items:
        raise refusal
    return Listing(collect(items), tuple(unread))


def create(kubeconfig: Path, item: APIKey) -> None:
    """Raises KubeError, a conflict if there is one of that name."""
    data = to_data(item)
    data.pop("status", None)
    ask(kubeconfig, lambda client: client.create(data))


def remove(kubeconfig: Path, key: Key) -> None:
    """Raises KubeError."""
    ask(kubeconfig, lambda client: client.delete(BY_KIND[key.kind], key.namespace, key.name))
