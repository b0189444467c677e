"""Evaluation: run it as a job, report its progress and its result, and repeat it when it is due."""

from collections.abc import Mapping
from datetime import datetime

from contract import conditions as c
from contract.conditions import Condition, condition, stamp
from contract.evaluation import Evaluation
from contract.resource import Key
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.desired.evaluation import evaluation_job
from operators.reconcile.evaluation import is_compared, next_status, run_of, seconds_left
from operators.reconcile.job_report import JobReport

# Seconds between looks at a running job, and at an obstacle that no event ends.
LOOK_S = 2.0
WAIT_S = 10.0


async def reconcile(key: Key, context: Context, now: datetime) -> float | None:
    cache = context.cache
    stored = cache.stored(key, Evaluation)
    if stored is None:
        is_removed = await context.jobs.remove(key, cache.owner(key.namespace or "") or "")
        return None if is_removed else LOOK_S
    item, tenant = stored.item, cache.owner(stored.item.namespace) or ""
    verdict = context.jobs.refusal(key) or cache.verdict(item, now)
    run = run_of(item, now)
    obstacle, report = None, None
    if verdict.holds and not is_compared(item, run):
        obstacle, report = await _asked(item, run, tenant, context)
    else:
        await context.jobs.stop(key)
    status = next_status(
        item, run=run, tenant=tenant, verdict=verdict, obstacle=obstacle, report=report, now=stamp(now)
    )
    await context.store.write_status(stored, status)
    if report and report.goes_on:
        return LOOK_S
    return WAIT_S if obstacle else seconds_left(item.model_copy(update={"status": status}), now)


async def _asked(
    item: Evaluation, run: str, tenant: str, context: Context
) -> tuple[Condition | None, JobReport | None]:
    """What keeps it from running, or how far it is."""
    name = item.spec.questions.credentials
    secret = await context.store.secret(item.namespace, name) if name else {}
    obstacle = _obstacle(item, secret) or _missing_model(item, tenant, context.cache)
    if obstacle:
        await context.jobs.stop(item.key)
        return obstacle, None
    token = context.jobs.token(tenant, f"evaluation {item.name}")
    job = evaluation_job(item, run, tenant, token=token, credentials={"data": secret or {}})
    return None, await context.jobs.run(job)


def _missing_model(item: Evaluation, tenant: str, cache: ClusterCache) -> Condition | None:
    """A job does not wait for models: it would hold the turn that a training of them needs."""
    for variant in item.spec.variants:
        name = variant.model.partition("@")[0]
        base = cache.base_model(name)
        adapter = next((each for each in cache.adapters(item.namespace) if each.name == name), None)
        answers = (base and base.spec.allows(tenant)) or (adapter and adapter.status.active)
        if not answers:
            message = f"no model {name} answers for tenant {tenant} yet; it begins then, or correct the variant"
            return condition(c.READY, False, c.WAITING, message)
    return None


def _obstacle(item: Evaluation, secret: Mapping[str, str] | None) -> Condition | None:
    if item.spec.stopped:
        return condition(c.READY, False, c.STOPPED, "spec.stopped is true; its answers stay, and false goes on")
    if secret is None:
        message = f"there is no Secret {item.spec.questions.credentials} in namespace {item.namespace}; create it"
        return condition(c.READY, False, c.SECRET_MISSING, message)
    return None
