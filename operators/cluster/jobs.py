"""Jobs of a cluster. Their progress is read from their logs, their result from the pod's last words."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from contract import conditions as c
from contract import job as jobs
from contract.api_key import Scope
from contract.conditions import Condition, condition
from contract.resource import Key
from kube.client import Client, Item
from kube.errors import KubeError
from kube.resource import JOBS, PODS, SECRETS, Resource
from operators.cluster.job_reading import get_or_none, has_condition, last_lines, newest_pod
from operators.desired.engine_workload import Platform
from operators.desired.job import Job, folder_prefix
from operators.desired.job_workload import (
    DIGEST,
    OF,
    WORK,
    clearing,
    credentials_of,
    job_name,
    job_workload,
    object_hash,
    objects_selector,
    selector,
    tenant_selector,
)
from operators.desired.jobs import AnyJob
from operators.reconcile.job_report import JobReport

_LINES = 60  # of a log: more than a look at the held-out rows writes


class ClusterJobs:
    """`delegation_secret` signs the jobs' tokens for the gateway; empty where there is none."""

    def __init__(self, client: Client, platform: Platform, delegation_secret: str) -> None:
        self._client = client
        self._delegation_secret = delegation_secret
        self._platform = platform
        self._without_jobs: set[Key] = set()
        self._forgotten: set[str] = set()

    def refusal(self, *, asks: bool) -> Condition | None:
        if not self._platform.trainings:
            message = "this installation runs no jobs; install the chart with tuning.enabled=true"
            return condition(c.ACCEPTED, False, c.NO_JOBS, message)
        if asks and not self._delegation_secret:
            message = (
                "evaluations, teachers and uploaded data need the secret that signs the management API's tokens; "
                "install the chart with console.enabled=true"
            )
            return condition(c.ACCEPTED, False, c.NO_JOBS, message)
        return None

    def token(self, tenant: str, name: str, scopes: Collection[Scope]) -> str:
        from operators.evaluation.token import asking_token  # imported late: few operators sign tokens

        return asking_token(self._delegation_secret, tenant, name, scopes)

    async def run(self, job: AnyJob) -> JobReport:
        self._without_jobs.discard(job.key)
        manifest = job_workload(job, self._platform)
        item = await self._read(job_name(job))
        if item is None:
            return await self._begun(job, manifest)
        newest = await newest_pod(self._client, self._namespace, job_name(job))
        lines = await last_lines(self._client, newest, WORK, _LINES)
        report = report_of(item, newest, lines)
        if report.state in ("Waiting", "Failed") and _digest(item) != _digest(manifest):
            return await self._begun(job, manifest)
        if report.state == "Waiting":
            await self._give_secret(job, item["metadata"]["uid"])
        if report.state == "Done" and not report.result:  # its pod is gone: the job is done at once when run again
            await self._client.delete(JOBS, self._namespace, job_name(job))
            return JobReport("Waiting", message="its result is read again")
        return replace(report, place=f"pvc://{self._platform.trainings}")

    async def stop(self, key: Key) -> None:
        if key not in self._without_jobs:
            await self._delete(key)
            self._without_jobs.add(key)

    async def remove(self, key: Key, tenant: str) -> bool:
        await self._delete(key)
        self._without_jobs.discard(key)
        if not self._platform.trainings or not tenant:
            return True
        if await self._has_pods(selector(key)):
            return False
        await self._clear(tenant, "runs", folder_prefix(key), anew=True)
        return True

    async def forget(self, tenant: str) -> bool:
        """A job empties the tenant's folder, once no pod writes to it. Its success is the proof."""
        if not self._platform.trainings or tenant in self._forgotten:
            return True
        await self._delete_all(objects_selector(tenant))
        if await self._has_pods(objects_selector(tenant)):
            return False
        job = await self._clear(tenant, "", "")
        if not has_condition(job, "Complete"):
            return False
        await self._delete_all(tenant_selector(tenant))
        self._forgotten.add(tenant)
        return True

    async def sweep(self, existing: Collection[Key]) -> None:
        """Ends jobs of objects deleted while no operator led; files stay until the tenant is removed."""
        kept = {object_hash(key) for key in existing}
        items, _ = await self._client.list(JOBS, namespace=self._namespace, selector=OF)
        for item in items:
            if item["metadata"]["labels"][OF] not in kept:
                await self._client.delete(JOBS, self._namespace, item["metadata"]["name"])

    @property
    def _namespace(self) -> str:
        return self._platform.namespace

    async def _read(self, name: str, resource: Resource = JOBS) -> Item | None:
        return await get_or_none(self._client, resource, self._namespace, name)

    async def _begun(self, job: AnyJob, manifest: Item) -> JobReport:
        """Two pods never write to one folder, and none starts with an earlier job's Secret."""
        await self._delete(job.key)
        clear = await self._read(clearing(job.tenant, "runs", job.prefix, self._platform)["metadata"]["name"])
        is_clearing = clear is not None and not _is_over(clear)
        secret = await self._read(job_name(job), SECRETS)
        if is_clearing or secret is not None or await self._has_pods(selector(job.key)):
            return JobReport("Waiting", message="waits until an earlier pod has ended and its files are removed")
        self._forgotten.discard(job.tenant)
        created = await self._client.create(manifest)
        await self._give_secret(job, created["metadata"]["uid"])
        return JobReport("Waiting", message="its pod is being created")

    async def _give_secret(self, job: Job, uid: str) -> None:
        """A pod waits for its Secret, which goes with the job. That of an earlier job may still be on its way out."""
        secret = credentials_of(job, self._platform, uid)
        try:
            if secret:
                await self._client.create(secret)
        except KubeError as error:
            if not error.conflict:
                raise

    async def _delete(self, key: Key) -> None:
        await self._delete_all(selector(key))

    async def _delete_all(self, labels: str) -> None:
        """An installation without jobs has no right to list them."""
        if not self._platform.trainings:
            return
        items, _ = await self._client.list(JOBS, namespace=self._namespace, selector=labels)
        for item in items:
            await self._client.delete(JOBS, self._namespace, item["metadata"]["name"])

    async def _has_pods(self, labels: str) -> bool:
        """True while one of the pods may write."""
        pods, _ = await self._client.list(PODS, namespace=self._namespace, selector=labels)
        return any(pod.get("status", {}).get("phase") not in ("Succeeded", "Failed") for pod in pods)

    async def _clear(self, tenant: str, folder: str, beginning: str, *, anew: bool = False) -> Item:
        """The job that clears; a failed one is made again, and `anew` one that is over."""
        manifest = clearing(tenant, folder, beginning, self._platform)
        existing = await self._read(manifest["metadata"]["name"])
        if existing and (has_condition(existing, "Failed") or (anew and _is_over(existing))):
            await self._client.delete(JOBS, self._namespace, existing["metadata"]["name"])
            existing = None
        return existing or await self._client.create(manifest)


# A job as it is → how far it is -----------------------------------------------------------------------------------


def report_of(job: Mapping[str, Any], pod: Mapping[str, Any] | None, lines: tuple[jobs.Line, ...]) -> JobReport:
    """`pod` is its newest one, `lines` are the last of its log."""
    said = _last_words(pod) if pod else ()
    if has_condition(job, "Complete"):
        results = (line["result"] for line in (*said, *lines) if isinstance(line.get("result"), dict))
        return JobReport("Done", lines, result=next(results, {}))
    if has_condition(job, "Failed"):
        error = next((str(line["error"]) for line in (*said, *reversed(lines)) if "error" in line), "")
        return JobReport("Failed", lines, message=error or _why(job, pod))
    if pod is None:
        return JobReport("Waiting", message="its pod is being created")
    if pod.get("status", {}).get("phase") == "Pending" and not _is_initialised(pod):
        return JobReport("Waiting", message=_pending(pod))
    return JobReport("Running", lines)


def _digest(job: Mapping[str, Any]) -> str:
    return str((job["metadata"].get("annotations") or {}).get(DIGEST, ""))


def _is_over(job: Mapping[str, Any]) -> bool:
    return has_condition(job, "Complete") or has_condition(job, "Failed")


def _statuses(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    status = pod.get("status", {})
    return [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]


def _last_words(pod: Mapping[str, Any]) -> tuple[jobs.Line, ...]:
    ended = (each.get("state", {}).get("terminated") or {} for each in _statuses(pod))
    return tuple(line for state in ended for line in jobs.lines(state.get("message", "")))


def _why(job: Mapping[str, Any], pod: Mapping[str, Any] | None) -> str:
    """In Kubernetes' words, where the job said nothing."""
    ended = (each.get("state", {}).get("terminated") or {} for each in _statuses(pod or {}))
    reasons = [state.get("reason", "") for state in ended if state.get("exitCode")]
    if "OOMKilled" in reasons:
        return "its memory was too small: raise spec.resources.limits.memory, or take smaller batches"
    conditions = job.get("status", {}).get("conditions") or ()
    failed = next((each.get("message", "") for each in conditions if each["type"] == "Failed"), "")
    return f"{failed or 'its job failed'}; see kubectl logs job/{job['metadata']['name']}"


def _is_initialised(pod: Mapping[str, Any]) -> bool:
    return any("running" in each.get("state", {}) for each in _statuses(pod))


def _pending(pod: Mapping[str, Any]) -> str:
    """Why a pod does not run yet."""
    for each in pod.get("status", {}).get("conditions") or ():
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return f"no node takes its pod: {each.get('message', '')}"
    waiting = (each.get("state", {}).get("waiting") or {} for each in _statuses(pod))
    reasons = [f"{state['reason']}: {state['message']}" for state in waiting if state.get("message")]
    return reasons[0] if reasons else "its pod starts"
