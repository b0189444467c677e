"""FineTune: run its training as a job, report its progress, and make an adapter of its result."""

from collections.abc import Mapping
from datetime import datetime

from contract import conditions as c
from contract.adapter import FINE_TUNE, ActiveVersion, Adapter, AdapterSpec
from contract.conditions import Condition, condition, stamp
from contract.fine_tune import FineTune, FineTuneStatus
from contract.names import API_VERSION
from contract.resource import Key, Metadata
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.controllers.job import missing_model, next_look, obstacle, removed, secret_of, token_of
from operators.desired.training import training_job
from operators.reconcile.fine_tune import next_status
from operators.reconcile.job_report import JobReport
from operators.reconcile.training_limits import has_failed, over_limit, wants


async def reconcile(key: Key, context: Context, now: datetime) -> float | None:
    cache = context.cache
    stored = cache.stored(key, FineTune)
    if stored is None:
        return await removed(key, context)
    tune = stored.item
    verdict = context.jobs.refusal(asks=tune.spec.teacher is not None or bool(tune.spec.data.upload)) or cache.verdict(
        tune, now
    )
    waits_for, report = None, None
    if verdict.holds and not _is_trained(tune):
        waits_for, report = await _trained(tune, context, now)
    else:
        await context.jobs.stop(key)
    status = next_status(
        tune,
        tenant=cache.owner(tune.namespace) or "",
        verdict=verdict,
        obstacle=waits_for,
        report=report,
        now=stamp(now),
    )
    await context.store.write_status(stored, await _with_adapter(tune, status, context))
    return next_look(report, waits_for)


def _is_trained(tune: FineTune) -> bool:
    return tune.status.result is not None and tune.status.result.run == tune.spec.run


async def _trained(tune: FineTune, context: Context, now: datetime) -> tuple[Condition | None, JobReport | None]:
    """The obstacle to the training, or its progress."""
    cache = context.cache
    secret = await secret_of(tune.spec.data, tune.namespace, context)
    waits_for = _obstacle(tune, cache, secret, now)
    base, tenant = cache.base_model(tune.spec.base_model), cache.owner(tune.namespace)
    if waits_for or base is None or tenant is None:
        await context.jobs.stop(tune.key)
        return waits_for, None
    credentials = {"data": secret or {}, "adapter": cache.credentials.get(_start_key(tune), {})}
    asks = tune.spec.teacher is not None
    token = token_of(tune.spec.data, tenant, f"training {tune.name}", context, asks=asks)
    job = training_job(tune, base, tenant, start=_start(tune, cache), credentials=credentials, token=token)
    return None, await context.jobs.run(job)


def _obstacle(tune: FineTune, cache: ClusterCache, secret: Mapping[str, str] | None, now: datetime) -> Condition | None:
    spec = tune.spec
    shared = obstacle(spec.data, tune.namespace, secret, stopped=spec.stopped, stays="checkpoints")
    if shared:
        return shared
    if spec.start and getattr(_start(tune, cache), "source", None) is None:
        message = f"Adapter {spec.start}, to go on from, has no version with content yet"
        return condition(c.READY, False, c.WAITING, message)
    tenant = cache.tenant(cache.owner(tune.namespace) or "")
    if (
        tenant
        and spec.teacher
        and not _is_taught(tune)
        and (missing := missing_model({spec.teacher.model}, tune.namespace, tenant.name, cache))
    ):
        return missing
    tunes = cache.fine_tunes(tune.namespace)
    others = [other for other in tunes if other.key == tune.key or not wants(other) or cache.verdict(other, now).holds]
    return over_limit(tune, tenant, others, now) if tenant and not has_failed(tune) else None


def _is_taught(tune: FineTune) -> bool:
    """True once the teacher of the current training is not needed any more."""
    training = tune.status.training
    return training is not None and training.run == tune.spec.run and 0 < training.questions == training.answers


def _start(tune: FineTune, cache: ClusterCache) -> ActiveVersion | None:
    """The starting version of a training: the active one when it begins."""
    adapter = cache.get(_start_key(tune))
    return adapter.status.active if isinstance(adapter, Adapter) else None


def _start_key(tune: FineTune) -> Key:
    return Key(kind="Adapter", namespace=tune.namespace, name=tune.spec.start or "")


async def _with_adapter(tune: FineTune, status: FineTuneStatus, context: Context) -> FineTuneStatus:
    """Makes the adapter once the result is written; whoever deletes it later does not get it again."""
    template = tune.spec.adapter
    if template is None or not _is_trained(tune) or status.made == template.name:
        return status
    spec = AdapterSpec(
        base_model=tune.spec.base_model,
        source=f"{FINE_TUNE}{tune.name}",
        knowledge_bases=template.knowledge_bases,
        rollout=template.rollout,
    )
    metadata = Metadata(name=template.name, namespace=tune.namespace)
    await context.store.make(Adapter(api_version=API_VERSION, metadata=metadata, spec=spec))
    return status.model_copy(update={"made": template.name})
