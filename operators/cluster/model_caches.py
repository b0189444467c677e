"""Claims that keep models, and the jobs that fill them."""

from collections.abc import Mapping
from typing import Any

from contract import job as jobs
from contract.base_model import BaseModel
from kube.client import Client, Item
from kube.errors import KubeError
from kube.resource import JOBS, PODS
from operators.desired.engine_workload import OPERATOR, Platform, cache_claim
from operators.desired.model_cache import FILL, claim, fill_job, job_name, selector

_LINES = 20  # of a log


class ModelCaches:
    def __init__(self, client: Client, platform: Platform) -> None:
        self._client = client
        self._platform = platform
        self._filled: dict[str, tuple[str, str]] = {}  # by base model: its uid, and the last job that was through

    async def obstacle(self, base: BaseModel, uid: str) -> str:
        """Why the base model's claim does not have the model yet, "" once it has. Begins what is missing. Raises
        KubeError."""
        name = job_name(base)
        if self._filled.get(base.name) == (uid, name):
            return ""
        job = await self._job(name, uid)
        if job is None:
            await self._begin(base, uid)
            return f"its model is being fetched into claim {cache_claim(base.name)}: job {name} is created"
        if _has(job, "Complete"):
            self._filled[base.name] = (uid, name)
            return ""
        return told(base, name, has_failed=_has(job, "Failed"), lines=await self._lines(name))

    def forget(self, base: str) -> None:
        self._filled.pop(base, None)

    async def _job(self, name: str, uid: str) -> Item | None:
        """One of an earlier base model of the same name does not count."""
        try:
            job = await self._client.get(JOBS, self._platform.namespace, name)
        except KubeError as error:
            if error.missing:
                return None
            raise
        owners = job["metadata"].get("ownerReferences") or ()
        return job if any(owner["uid"] == uid for owner in owners) else None

    async def _begin(self, base: BaseModel, uid: str) -> None:
        """Jobs of other sources go first: two never write to one claim, and a source that comes back is fetched again,
        since its files may have been removed."""
        namespace = self._platform.namespace
        earlier, _ = await self._client.list(JOBS, namespace=namespace, selector=selector(base.name))
        for job in earlier:
            await self._client.delete(JOBS, namespace, job["metadata"]["name"])
        await self._client.apply(claim(base, uid, self._platform), manager=OPERATOR)
        await self._client.create(fill_job(base, uid, self._platform))

    async def _lines(self, name: str) -> tuple[jobs.Line, ...]:
        """The last ones of the newest pod; none before it runs."""
        namespace = self._platform.namespace
        pods, _ = await self._client.list(PODS, namespace=namespace, selector=f"job-name={name}")
        newest = max(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)
        if newest is None:
            return ()
        try:
            text = await self._client.log(namespace, newest["metadata"]["name"], FILL, last_lines=_LINES)
        except KubeError:
            return ()
        return tuple(jobs.lines(text))


def told(base: BaseModel, job: str, *, has_failed: bool, lines: tuple[jobs.Line, ...]) -> str:
    """How far a job is, in words. `lines` are the last of its log."""
    where = f"into claim {cache_claim(base.name)}"
    error = next((str(line["error"]) for line in reversed(lines) if "error" in line), "")
    if has_failed:
        cause = error or f"see kubectl describe job {job}"
        return f"its model cannot be fetched {where}: {cause}; then delete job {job}, and it is tried again"
    progress = next((line for line in reversed(lines) if "total" in line), None)
    if progress is None:
        return f"its model is being fetched {where}: job {job} begins" + (f"; before: {error}" if error else "")
    have, total = (float(progress[name]) / 1e9 for name in ("bytes", "total"))
    return f"its model is being fetched {where}: {have:.1f} of {total:.1f} GB"


def _has(job: Mapping[str, Any], kind: str) -> bool:
    conditions = job.get("status", {}).get("conditions") or ()
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)
