"""A base model's additions to its engines' pods (pure)."""

from collections.abc import Mapping
from typing import Any

from contract.pod_template import PodTemplate

Manifest = dict[str, Any]
# Claims are mounted below this path, by the names that the base model gives them.
VOLUMES = "/volumes"


def identity(template: PodTemplate, account: str | None) -> Manifest:
    """`account` is the platform's ServiceAccount for engines."""
    return _without_empty(
        {
            "serviceAccountName": template.service_account_name or account,
            "runtimeClassName": template.runtime_class_name,
            "priorityClassName": template.priority_class_name,
        }
    )


def placed(template: PodTemplate, platform: Mapping[str, Any], selector: Mapping[str, str]) -> Manifest:
    """Beside the platform's placement; of a node's label the base model's value holds. `selector` is the engines'."""
    tolerations = [each.model_dump(by_alias=True, exclude_defaults=True) for each in template.tolerations]
    spread = [{"labelSelector": {"matchLabels": selector}, **each} for each in template.topology_spread_constraints]
    more = {
        "nodeSelector": {**platform.get("nodeSelector", {}), **template.node_selector},
        "tolerations": [*platform.get("tolerations", ()), *tolerations],
        "affinity": template.affinity,
        "topologySpreadConstraints": spread,
    }
    return _without_empty({**platform, **more})


def shared_memory(template: PodTemplate) -> Manifest:
    limit = template.shared_memory
    return {"medium": "Memory", **({"sizeLimit": limit} if limit else {})}


def volumes(template: PodTemplate) -> list[Manifest]:
    return [
        {"name": f"volume-{each.name}",
         "persistentVolumeClaim": {"claimName": each.claim, "readOnly": each.read_only}}
        for each in template.volumes
    ]  # fmt: skip


def mounts(template: PodTemplate) -> list[Manifest]:
    return [
        {"name": f"volume-{each.name}", "mountPath": f"{VOLUMES}/{each.name}", "readOnly": each.read_only}
        for each in template.volumes
    ]


def secrets(template: PodTemplate) -> list[Manifest]:
    return [
        {"name": each.name, "valueFrom": {"secretKeyRef": {"name": each.secret, "key": each.key}}}
        for each in template.env
    ]


def _without_empty(fields: Manifest) -> Manifest:
    return {name: value for name, value in fields.items() if value}
