"""A Job of a cluster, its newest pod, and the last lines of its log."""

from collections.abc import Mapping
from typing import Any

from contract import job as jobs
from kube.client import Client, Item
from kube.errors import KubeError
from kube.resource import PODS, Resource


async def get_or_none(client: Client, resource: Resource, namespace: str, name: str) -> Item | None:
    """Raises KubeError, but not for a missing object."""
    try:
        return await client.get(resource, namespace, name)
    except KubeError as error:
        if error.missing:
            return None
        raise


async def newest_pod(client: Client, namespace: str, job: str) -> Item | None:
    """Raises KubeError."""
    pods, _ = await client.list(PODS, namespace=namespace, selector=f"job-name={job}")
    return max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)


async def last_lines(client: Client, pod: Item | None, container: str, count: int) -> tuple[jobs.Line, ...]:
    """The objects among the last lines of the log; none while there is no log."""
    if pod is None:
        return ()
    metadata = pod["metadata"]
    try:
        text = await client.log(metadata["namespace"], metadata["name"], container, last_lines=count)
    except KubeError:
        return ()
    return tuple(jobs.lines(text))


def has_condition(job: Mapping[str, Any], kind: str) -> bool:
    conditions = job.get("status", {}).get("conditions") or ()
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)
