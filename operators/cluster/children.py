"""The objects created by the operator on a cluster. Only differences are written."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kube.client import Client, Item
from kube.resource import BY_KIND
from operators.desired.differences import covers
from operators.desired.engine_workload import OPERATOR, Manifest

# The field manager that owns a Deployment's replicas once autoscaling is requested.
AUTOSCALING = "quiver-autoscaling"

ChildKey = tuple[str, str, str]  # kind, namespace, name


class Children:
    """`assume` puts the result of a write into the caches."""

    def __init__(self, client: Client, assume: Callable[[Item], None]) -> None:
        self._client = client
        self._assume = assume
        self._applied: dict[ChildKey, tuple[Manifest, int | None]] = {}
        self.items: dict[ChildKey, Mapping[str, Any]] = {}

    def set(self, before: Item | None, after: Item | None) -> None:
        if after:
            self.items[child_key(after)] = after
        elif before:
            self.items.pop(child_key(before), None)

    async def apply(self, desired: Iterable[Manifest]) -> None:
        for item in desired:
            existing = self.items.get(child_key(item))
            if existing is None or not (covers(existing, item) or self._is_applied(item, existing)):
                written = await self._client.apply(item, manager=OPERATOR)
                self._applied[child_key(item)] = (item, written["metadata"].get("generation"))
                self._assume(written)

    def _is_applied(self, item: Manifest, existing: Mapping[str, Any]) -> bool:
        """True if the server accepted this manifest, and nothing changed it since. A plain comparison would differ: the
        server normalises some values, for example 0.5 to 500m."""
        generation = existing["metadata"].get("generation")
        return generation is not None and self._applied.get(child_key(item)) == (item, generation)

    async def hand_over_replicas(self, deployment: Manifest) -> None:
        """A field gets its default when its only manager drops it, so another manager takes the replicas first."""
        existing = self.items.get(child_key(deployment))
        if existing is not None:
            await self.set_replicas(deployment, existing["spec"].get("replicas", 1))

    async def set_replicas(self, deployment: Manifest, replicas: int) -> None:
        metadata = {key: deployment["metadata"][key] for key in ("name", "namespace")}
        kept = {"apiVersion": deployment["apiVersion"], "kind": deployment["kind"], "metadata": metadata}
        self._assume(await self._client.apply({**kept, "spec": {"replicas": replicas}}, manager=AUTOSCALING))

    async def prune(self, desired: Iterable[Manifest], *, owner: str) -> None:
        """Deletes the owner's undesired objects. `owner` is its uid."""
        keys = {child_key(item) for item in desired}
        for key, item in list(self.items.items()):
            owned_by = item["metadata"].get("ownerReferences") or ()
            if key not in keys and any(reference["uid"] == owner for reference in owned_by):
                kind, namespace, name = key
                await self._client.delete(BY_KIND[kind], namespace or None, name)


def child_key(item: Mapping[str, Any]) -> ChildKey:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]
