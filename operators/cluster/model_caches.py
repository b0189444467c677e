"""Claims with models, and the jobs filling them."""

from contract import job as jobs
from contract.base_model import BaseModel
from kube.client import Client, Item
from kube.resource import JOBS
from operators.cluster.job_reading import get_or_none, has_condition, last_lines, newest_pod
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
        if has_condition(job, "Complete"):
            self._filled[base.name] = (uid, name)
            return ""
        pod = await newest_pod(self._client, self._platform.namespace, name)
        lines = await last_lines(self._client, pod, FILL, _LINES)
        return progress_of(base, name, has_failed=has_condition(job, "Failed"), lines=lines)

    def forget(self, base: str) -> None:
        self._filled.pop(base, None)

    async def _job(self, name: str, uid: str) -> Item | None:
        """One of an earlier base model of the same name does not count."""
        job = await get_or_none(self._client, JOBS, self._platform.namespace, name)
        owners = job["metadata"].get("ownerReferences") or () if job else ()
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


def progress_of(base: BaseModel, job: str, *, has_failed: bool, lines: tuple[jobs.Line, ...]) -> str:
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
