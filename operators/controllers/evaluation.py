"""Evaluation: run it as a job, report its progress and its result, and repeat it when it is due."""

from datetime import datetime

from contract.conditions import Condition, stamp
from contract.evaluation import Evaluation, asked_models
from contract.resource import Key
from operators.controllers.context import Context
from operators.controllers.job import missing_model, next_look, obstacle, removed, secret_of, token_of
from operators.desired.evaluation import evaluation_job
from operators.reconcile.evaluation import is_compared, next_status, run_of, seconds_left
from operators.reconcile.job_report import JobReport


async def reconcile(key: Key, context: Context, now: datetime) -> float | None:
    cache = context.cache
    stored = cache.stored(key, Evaluation)
    if stored is None:
        return await removed(key, context)
    item, tenant = stored.item, cache.owner(stored.item.namespace) or ""
    verdict = context.jobs.refusal(asks=True) or cache.verdict(item, now)
    run = run_of(item, now)
    waits_for, report = None, None
    if verdict.holds and not is_compared(item, run):
        waits_for, report = await _asked(item, run, tenant, context)
    else:
        await context.jobs.stop(key)
    status = next_status(
        item, run=run, tenant=tenant, verdict=verdict, obstacle=waits_for, report=report, now=stamp(now)
    )
    await context.store.write_status(stored, status)
    return next_look(report, waits_for) or seconds_left(item.model_copy(update={"status": status}), now)


async def _asked(
    item: Evaluation, run: str, tenant: str, context: Context
) -> tuple[Condition | None, JobReport | None]:
    """The obstacle to its job, or the progress."""
    spec = item.spec
    secret = await secret_of(spec.questions, item.namespace, context)
    shared = obstacle(spec.questions, item.namespace, secret, stopped=spec.stopped, stays="answers")
    waits_for = shared or missing_model(asked_models(spec.variants, spec.judge), item.namespace, tenant, context.cache)
    if waits_for:
        await context.jobs.stop(item.key)
        return waits_for, None
    token = token_of(spec.questions, tenant, f"evaluation {item.name}", context, asks=True)
    job = evaluation_job(item, run, tenant, token=token, credentials={"data": secret or {}})
    return None, await context.jobs.run(job)
