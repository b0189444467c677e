"""Objects as the management API shows them (pure)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from contract.adapter import Adapter
from contract.base_model import BaseModel
from contract.conditions import ACCEPTED, READY, WAITING, decisive, find, holds
from contract.objects import AnyObject, Objects, to_data
from contract.snapshot import Snapshot
from contract.tenant import Tenant


def tenant_named(objects: Objects, name: str) -> Tenant | None:
    return next((tenant for tenant in objects.tenants if tenant.name == name), None)


def in_namespace(items: Sequence[AnyObject], namespace: str) -> list[AnyObject]:
    return [item for item in items if item.namespace == namespace]


def reason(item: AnyObject) -> tuple[str, str]:
    """Why an object is not ready, in one word and in words, as `quiver get` says it."""
    condition = decisive(item.status.conditions)
    return (condition.reason, condition.message) if condition else (WAITING, "not looked at yet")


def is_ready(item: AnyObject) -> bool:
    if find(item.status.conditions, READY):
        return holds(item.status.conditions, READY)
    return holds(item.status.conditions, ACCEPTED)


def not_ready(objects: Objects) -> Iterator[dict[str, str]]:
    for item in objects.all:
        if not is_ready(item):
            word, message = reason(item)
            yield {
                "kind": item.kind,
                "namespace": item.namespace,
                "name": item.name,
                "reason": word,
                "message": message,
            }


def base_model(base: BaseModel, versions: int) -> dict[str, Any]:
    """A base model's replicas, and how much of its room for versions of adapters is used."""
    return {
        "name": base.name,
        "ready": is_ready(base),
        "replicas_ready": sum(endpoint.ready for endpoint in base.status.endpoints),
        "replicas": len(base.status.endpoints),
        "slots": base.spec.lora.cpu_slots,
        "slots_used": versions,
    }


def platform(snapshot: Snapshot) -> dict[str, Any]:
    objects = snapshot.objects
    versions = Counter[str]()
    for each in snapshot.adapter_slices:
        versions[each.spec.base_model] += len(each.spec.versions)
    count = Counter((item.kind, item.namespace) for item in objects.all)
    tenants = [
        {
            "name": tenant.name,
            "ready": is_ready(tenant),
            "adapters": count["Adapter", tenant.spec.namespace],
            "knowledge_bases": count["KnowledgeBase", tenant.spec.namespace],
            "keys": count["APIKey", tenant.spec.namespace],
        }
        for tenant in objects.tenants
    ]
    return {
        "base_models": [base_model(base, versions[base.name]) for base in objects.base_models],
        "tenants": tenants,
        "not_ready": list(not_ready(objects)),
        "problems": [{"file": problem.file, "message": problem.message} for problem in snapshot.problems],
    }


def shown(item: AnyObject) -> dict[str, Any]:
    """The object, whether it is ready, and why not."""
    word, message = reason(item)
    return {**to_data(item), "ready": is_ready(item), "reason": word, "message": message}


def happenings(adapters: Sequence[Adapter]) -> list[dict[str, str]]:
    """The events of all releases, newest first."""
    events = [
        {
            "at": entry.at,
            "adapter": item.name,
            "event": entry.event,
            "digest": entry.digest or "",
            "message": entry.message,
        }
        for item in adapters
        for entry in item.status.history
    ]
    return sorted(events, key=lambda event: event["at"], reverse=True)
