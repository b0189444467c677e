"""The object store of a cluster: its API server."""

import base64
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from contract import conditions as c
from contract.adapter import Adapter
from contract.adapter_slice import AdapterSlice
from contract.base_model import BaseModel
from contract.conditions import Condition, Conditions, stamp
from contract.names import API_VERSION
from contract.objects import AnyObject, to_data
from contract.resource import Status
from contract.tenant import Tenant
from kube.client import Client, Item
from kube.errors import KubeError
from kube.resource import ADAPTER_SLICES, BY_KIND, SECRETS
from operators.cluster.children import Children
from operators.controllers.slice_index import StoredSlice
from operators.controllers.stored_object import StoredObject
from operators.desired.adapters import source_revision
from operators.desired.engine_workload import MANAGED_BY, OPERATOR, Manifest
from operators.desired.tenant_namespace import Account, tenant_namespace

logger = logging.getLogger(__name__)

# Keeps a deleted Tenant until it is off-boarded.
FINALIZER = "quiver.dev/offboarding"
LONGEST_EVENT = 1000  # characters; the API server takes 1,024
# In one status. Each takes some hundred bytes, and an object's limit is 1.5 MB.
MOST_DOCUMENTS = 1000


class ClusterStore:
    """`assume` puts the result of a write into the caches. `is_complete` says whether every object was readable at
    least once. `namespace` is the operator's own."""

    most_documents: int | None = MOST_DOCUMENTS

    def __init__(
        self,
        client: Client,
        children: Children,
        *,
        assume: Callable[[Item], None],
        is_complete: Callable[[], bool],
        namespace: str,
        management: Account | None = None,
        tenant_quotas: bool = False,
    ) -> None:
        self._client = client
        self._children = children
        self._assume = assume
        self._namespace = namespace
        self._management = management
        self._tenant_quotas = tenant_quotas
        self._is_complete = is_complete

    @property
    def is_complete(self) -> bool:
        return self._is_complete()

    def revision(self, adapter: Adapter) -> str:
        return source_revision(adapter)

    async def write_status(self, stored: StoredObject[AnyObject], status: Status) -> None:
        """Raises a conflict if the object has changed since; then it is reconciled again."""
        if status == stored.item.status:
            return
        item = _reference(stored, version=stored.version)
        item["status"] = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        self._assume(await self._client.apply(item, manager=OPERATOR, subresource="status"))
        for transition in transitions(stored.item.status, status):
            await self._event(stored, transition)

    async def write_slice(self, base: StoredObject[BaseModel], item: AdapterSlice, before: StoredSlice | None) -> None:
        """Raises a conflict if the slice has changed since. The API server deletes it with its base model."""
        data = item.to_data()
        owner = {"apiVersion": API_VERSION, "kind": base.item.kind, "name": base.item.name, "uid": base.uid}
        data["metadata"] |= {"labels": {MANAGED_BY: OPERATOR}, "ownerReferences": [owner]}
        if before is None:
            self._assume(await self._client.create(data))
        else:
            data["metadata"]["resourceVersion"] = before.version
            self._assume(await self._client.replace(data))

    async def delete_slice(self, name: str) -> None:
        await self._client.delete(ADAPTER_SLICES, None, name)

    async def secret(self, namespace: str, name: str) -> Mapping[str, str] | None:
        try:
            secret = await self._client.get(SECRETS, namespace, name)
        except KubeError as error:
            if error.missing:
                return None
            raise
        return _decoded(secret.get("data") or {})

    async def claim_namespace(self, stored: StoredObject[Tenant]) -> bool:
        if FINALIZER not in stored.finalizers:
            await self._write_finalizers(stored, (*stored.finalizers, FINALIZER))
            return False
        namespace = tenant_namespace(
            stored.item, uid=stored.uid, management=self._management, with_quota=self._tenant_quotas
        )
        await self._children.apply(namespace)
        return True

    async def make(self, adapter: Adapter) -> None:
        item = to_data(adapter)
        item.pop("status", None)
        try:
            await self._client.create(item)
        except KubeError as error:
            if not error.conflict:
                raise

    async def delete(self, stored: StoredObject[AnyObject]) -> None:
        if not stored.deleting:
            await self._client.delete(BY_KIND[stored.item.kind], stored.item.metadata.namespace, stored.item.name)

    async def finish_offboarding(self, stored: StoredObject[Tenant], proof: Mapping[str, str] | None) -> None:
        """A later tenant of the same name overwrites the proof."""
        if FINALIZER not in stored.finalizers:
            return
        if proof is not None:
            await self._children.apply([self._proof(stored.item, proof)])
        await self._write_finalizers(stored, tuple(name for name in stored.finalizers if name != FINALIZER))

    def _proof(self, tenant: Tenant, proof: Mapping[str, str]) -> Manifest:
        metadata = {
            "name": f"offboarded-{tenant.name}",
            "namespace": self._namespace,
            "labels": {MANAGED_BY: OPERATOR},
        }
        facts = {"tenant": tenant.name, "namespace": tenant.spec.namespace, "at": stamp(datetime.now(UTC))}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {**facts, **proof}}

    async def _write_finalizers(self, stored: StoredObject[Tenant], finalizers: tuple[str, ...]) -> None:
        patch = {"metadata": {"finalizers": list(finalizers), "resourceVersion": stored.version}}
        resource = BY_KIND[stored.item.kind]
        written = await self._client.merge(resource, stored.item.metadata.namespace, stored.item.name, patch)
        if not ("deletionTimestamp" in written["metadata"] and not written["metadata"].get("finalizers")):
            self._assume(written)

    async def _event(self, stored: StoredObject[AnyObject], transition: Condition) -> None:
        """Writes an event for `kubectl describe`. A failed write is only logged."""
        now = stamp(datetime.now(UTC))
        metadata = {"namespace": stored.item.metadata.namespace or "default", "generateName": f"{stored.item.name}."}
        try:
            await self._client.create(
                {
                    "apiVersion": "v1",
                    "kind": "Event",
                    "metadata": metadata,
                    "type": "Normal" if transition.holds else "Warning",
                    "reason": transition.reason,
                    "message": (transition.message or transition.reason)[:LONGEST_EVENT],
                    "involvedObject": _involved(stored),
                    "source": {"component": OPERATOR},
                    "firstTimestamp": now,
                    "lastTimestamp": now,
                    "count": 1,
                }
            )
        except KubeError as error:
            logger.warning("event %s of %s was not written: %s", transition.reason, stored.key, error)


def _reference(stored: StoredObject[AnyObject], *, version: str) -> Item:
    metadata = {"name": stored.item.name, "resourceVersion": version}
    if stored.item.metadata.namespace:
        metadata["namespace"] = stored.item.metadata.namespace
    return {"apiVersion": API_VERSION, "kind": stored.item.kind, "metadata": metadata}


def _involved(stored: StoredObject[AnyObject]) -> Item:
    metadata = _reference(stored, version=stored.version)["metadata"]
    return {"apiVersion": API_VERSION, "kind": stored.item.kind, "uid": stored.uid, **metadata}


def transitions(before: Status, after: Status) -> list[Condition]:
    """Conditions to report as events: each changed condition or reason, each reason once. Progress is not reported."""
    told: dict[str, Condition] = {}
    for new in _ready_first(after.conditions):
        old = c.find(before.conditions, new.type)
        same = old is not None and (old.status, old.reason) == (new.status, new.reason)
        expected = new.reason in c.ON_ITS_WAY and (old is None or new.type != c.READY)
        repeated = new.holds and new.type != c.READY  # the Ready event says so
        if not (same or expected or repeated):
            told.setdefault(new.reason, new)
    return list(told.values())


def _ready_first(conditions: Conditions) -> list[Condition]:
    return sorted(conditions, key=lambda item: item.type != c.READY)


def _decoded(data: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
