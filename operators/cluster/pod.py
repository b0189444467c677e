"""Pods → peers: engines with their agents, and gateways (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operators.controllers.peer import Peer
from operators.desired.engine_workload import BASE_MODEL
from operators.reconcile.engine_failure import cause


@dataclass(frozen=True)
class Ports:
    """Ports of pods."""

    engine: int
    agent: int
    gateway: int  # the internal one


_LONGEST_TROUBLE = 300  # characters of Kubernetes' message
_IMAGE = "name another image in spec.image or the chart's engine.image, or set image.pullSecrets"
_LOGS = "see kubectl logs --previous of that container"
_REMEDIES = {
    "ErrImagePull": _IMAGE,
    "ImagePullBackOff": _IMAGE,
    "InvalidImageName": _IMAGE,
    "ErrImageNeverPull": _IMAGE,
    "CreateContainerConfigError": "create what the message names",
    "CreateContainerError": "correct what the message names",
    "RunContainerError": "correct what the message names",
    "OOMKilled": "raise spec.resources.limits.memory, or lower lora.cpuSlots",
    "Error": _LOGS,
    "CrashLoopBackOff": _LOGS,
    "Unschedulable": "free room on a node, or lower spec.resources",
}


def read_pod(item: Mapping[str, Any], ports: Ports) -> Peer | None:
    """None for a finished pod."""
    metadata, status = item["metadata"], item.get("status", {})
    if status.get("phase") in ("Succeeded", "Failed"):
        return None
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    address, base = status.get("podIP", ""), (metadata.get("labels") or {}).get(BASE_MODEL, "")
    return Peer(
        name=metadata["name"],
        uid=metadata["uid"],
        base=base,
        url=_url(address, ports.engine) if base else "",
        control_url=_url(address, ports.agent if base else ports.gateway),
        ready=conditions.get("Ready") == "True",
        deleting="deletionTimestamp" in metadata,
        trouble=_trouble(metadata["name"], status),
    )


def _url(address: str, port: int) -> str:
    if not address:
        return ""
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{port}"


def _trouble(name: str, status: Mapping[str, Any]) -> str:
    for where, reason, message in (*_unplaced(status), *_broken(status)):
        if reason in _REMEDIES:
            said = f": {' '.join(message.split())[:_LONGEST_TROUBLE]}" if message else ""
            return f"{where}pod {name}: {reason}{said}; {_REMEDIES[reason]}"
    return ""


def _unplaced(status: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield "", condition.get("reason", ""), condition.get("message", "")


def _broken(status: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The last end of a container, with the failure from its log, comes before its current state."""
    for container in status.get("containerStatuses") or ():
        where = f"container {container['name']} of "
        if container.get("ready"):
            continue
        for state in (container.get("lastState") or {}, container.get("state") or {}):
            details = state.get("terminated") or state.get("waiting") or {}
            reason, message = details.get("reason", ""), details.get("message", "")
            if message or reason != "Error":
                yield where, reason, cause(message) or message
