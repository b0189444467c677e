"""What a controller may do to a cluster. Each writes only what differs from what was last seen."""

import base64
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from contract import conditions as c
from contract.agent import DesiredSet
from contract.conditions import Condition, Conditions, stamp
from contract.ingest import DesiredKnowledgeBase
from contract.names import API_VERSION
from contract.objects import AnyObject
from contract.resource import Status
from kube.client import Client, Item
from kube.errors import KubeError
from kube.resource import BY_KIND, SECRETS
from operators.controllers.known import Known
from operators.controllers.world import World
from operators.desired.differences import covers
from operators.desired.engine_workload import OPERATOR, Manifest, Platform

logger = logging.getLogger(__name__)

# Has the replicas of a Deployment from when an autoscaler is asked for.
AUTOSCALING = "quiver-autoscaling"
LONGEST_EVENT = 1000  # characters; the API server takes 1,024


class Actions:
    """`assume` takes what a write came back with into the caches, `look_at` has keys looked at again, `tell` gives a
    pod its desired set."""

    def __init__(
        self,
        client: Client,
        world: World,
        *,
        platform: Platform,
        assume: Callable[[Item], None],
        look_at: Callable[..., None],
        tell: Callable[[str, DesiredSet], None],
        index: Callable[[tuple[DesiredKnowledgeBase, ...]], None],
        register: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._client = client
        self._world = world
        self.platform = platform
        self._assume = assume
        self._applied: dict[tuple[str, str, str], tuple[Manifest, int | None]] = {}
        self.look_at = look_at
        self.tell = tell
        self.index = index
        self.register = register

    async def status(self, known: Known[AnyObject], status: Status) -> None:
        """Refused with a conflict where the object has changed since: then it is looked at again."""
        if status == known.item.status:
            return
        item = _reference(known, version=known.version)
        item["status"] = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        self._assume(await self._client.apply(item, manager=OPERATOR, subresource="status"))
        for fact in transitions(known.item.status, status):
            await self._event(known, fact)

    async def apply(self, desired: Iterable[Manifest]) -> None:
        for item in desired:
            there = self._world.children.get(child_key(item))
            if there is None or not (covers(there, item) or self._is_applied(item, there)):
                found = await self._client.apply(item, manager=OPERATOR)
                self._applied[child_key(item)] = (item, found["metadata"].get("generation"))
                self._assume(found)

    def _is_applied(self, item: Manifest, there: Mapping[str, Any]) -> bool:
        """A server writes some values in another way, as 500m for 0.5: what it made of the same before is the same."""
        generation = there["metadata"].get("generation")
        return generation is not None and self._applied.get(child_key(item)) == (item, generation)

    async def hand_over_replicas(self, deployment: Manifest) -> None:
        """A field that its only manager lets go of falls back to its default: so another one has to have it before."""
        there = self._world.children.get(child_key(deployment))
        if there is None:
            return
        metadata = {key: deployment["metadata"][key] for key in ("name", "namespace")}
        kept = {"apiVersion": deployment["apiVersion"], "kind": deployment["kind"], "metadata": metadata}
        await self._client.apply({**kept, "spec": {"replicas": there["spec"].get("replicas", 1)}}, manager=AUTOSCALING)

    async def prune(self, desired: Iterable[Manifest], *, owner: str) -> None:
        """What this operator once made for an owner, by its uid, and no longer wants."""
        wanted = {child_key(item) for item in desired}
        for key, item in list(self._world.children.items()):
            owners = item["metadata"].get("ownerReferences") or ()
            if key not in wanted and any(reference["uid"] == owner for reference in owners):
                kind, namespace, name = key
                await self._client.delete(BY_KIND[kind], namespace or None, name)

    async def finalizers(self, known: Known[AnyObject], finalizers: Iterable[str]) -> None:
        patch = {"metadata": {"finalizers": list(finalizers), "resourceVersion": known.version}}
        resource = BY_KIND[known.item.kind]
        found = await self._client.merge(resource, known.item.metadata.namespace, known.item.name, patch)
        if not ("deletionTimestamp" in found["metadata"] and not found["metadata"].get("finalizers")):
            self._assume(found)

    async def delete(self, known: Known[AnyObject]) -> None:
        if not known.deleting:
            await self._client.delete(BY_KIND[known.item.kind], known.item.metadata.namespace, known.item.name)

    async def secret(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """Its values, or None where there is none."""
        try:
            found = await self._client.get(SECRETS, namespace, name)
        except KubeError as error:
            if error.missing:
                return None
            raise
        return _decoded(found.get("data") or {})

    async def _event(self, known: Known[AnyObject], fact: Condition) -> None:
        """People read them in `kubectl describe`. One that cannot be written is no reason to do anything again."""
        now = stamp(datetime.now(UTC))
        place = {"namespace": known.item.metadata.namespace or "default", "generateName": f"{known.item.name}."}
        try:
            await self._client.create(
                {
                    "apiVersion": "v1",
                    "kind": "Event",
                    "metadata": place,
                    "type": "Normal" if fact.holds else "Warning",
                    "reason": fact.reason,
                    "message": (fact.message or fact.reason)[:LONGEST_EVENT],
                    "involvedObject": _involved(known),
                    "source": {"component": OPERATOR},
                    "firstTimestamp": now,
                    "lastTimestamp": now,
                    "count": 1,
                }
            )
        except KubeError as error:
            logger.warning("event %s of %s was not written: %s", fact.reason, known.key, error)


def child_key(item: Mapping[str, Any]) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _reference(known: Known[AnyObject], *, version: str) -> Item:
    metadata = {"name": known.item.name, "resourceVersion": version}
    if known.item.metadata.namespace:
        metadata["namespace"] = known.item.metadata.namespace
    return {"apiVersion": API_VERSION, "kind": known.item.kind, "metadata": metadata}


def _involved(known: Known[AnyObject]) -> Item:
    metadata = _reference(known, version=known.version)["metadata"]
    return {"apiVersion": API_VERSION, "kind": known.item.kind, "uid": known.uid, **metadata}


def transitions(before: Status, after: Status) -> list[Condition]:
    """What people are told of: every condition that has changed, or whose reason has, each reason once. That something
    is on its way is no news."""
    told: dict[str, Condition] = {}
    for new in _ready_first(after.conditions):
        old = c.find(before.conditions, new.type)
        same = old is not None and (old.status, old.reason) == (new.status, new.reason)
        expected = new.reason in c.ON_ITS_WAY and (old is None or new.type != c.READY)
        repeated = new.holds and new.type != c.READY  # that it is ready says that
        if not (same or expected or repeated):
            told.setdefault(new.reason, new)
    return list(told.values())


def _ready_first(conditions: Conditions) -> list[Condition]:
    return sorted(conditions, key=lambda item: item.type != c.READY)


def _decoded(data: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
