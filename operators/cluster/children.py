"""What the operator makes on a cluster for its objects. It writes only what differs from what was last seen."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kube.client import Client, Item
from kube.resource import BY_KIND
from operators.desired.differences import covers
from operators.desired.engine_workload import OPERATOR, Manifest

# Has the replicas of a Deployment from when an autoscaler is asked for.
AUTOSCALING = "quiver-autoscaling"

ChildKey = tuple[str, str, str]  # kind, namespace, name


class Children:
    """`assume` takes what a write came back with into the caches."""

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
            there = self.items.get(child_key(item))
            if there is None or not (covers(there, item) or self._is_applied(item, there)):
                written = await self._client.apply(item, manager=OPERATOR)
                self._applied[child_key(item)] = (item, written["metadata"].get("generation"))
                self._assume(written)

    def _is_applied(self, item: Manifest, there: Mapping[str, Any]) -> bool:
        """A server writes some values in another way, as 500m for 0.5: what it made of the same before is the same."""
        generation = there["metadata"].get("generation")
        return generation is not None and self._applied.get(child_key(item)) == (item, generation)

    async def hand_over_replicas(self, deployment: Manifest) -> None:
        """A field that its only manager lets go of falls back to its default: so another one has to have it before."""
        there = self.items.get(child_key(deployment))
        if there is None:
            return
        metadata = {key: deployment["metadata"][key] for key in ("name", "namespace")}
        kept = {"apiVersion": deployment["apiVersion"], "kind": deployment["kind"], "metadata": metadata}
        await self._client.apply({**kept, "spec": {"replicas": there["spec"].get("replicas", 1)}}, manager=AUTOSCALING)

    async def prune(self, desired: Iterable[Manifest], *, owner: str) -> None:
        """Deletes what this operator once made for an owner, by its uid, and that is not desired any more."""
        keys = {child_key(item) for item in desired}
        for key, item in list(self.items.items()):
            owned_by = item["metadata"].get("ownerReferences") or ()
            if key not in keys and any(reference["uid"] == owner for reference in owned_by):
                kind, namespace, name = key
                await self._client.delete(BY_KIND[kind], namespace or None, name)


def child_key(item: Mapping[str, Any]) -> ChildKey:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]
