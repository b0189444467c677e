"""What the controllers of all objects with a job have in common."""

from collections.abc import Collection, Mapping

from contract import conditions as c
from contract.api_key import Scope
from contract.base_model import BaseModel
from contract.conditions import Condition, condition
from contract.fine_tune import Data
from contract.resource import Key
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.reconcile.job_report import JobReport

# Seconds between looks at a running job, and at an obstacle that no event ends.
LOOK_S = 2.0
WAIT_S = 10.0


async def removed(key: Key, context: Context) -> float | None:
    """Removes the job of a deleted object. Returns the seconds until the next try, None once it is removed."""
    is_removed = await context.jobs.remove(key, context.cache.owner(key.namespace or "") or "")
    return None if is_removed else LOOK_S


def next_look(report: JobReport | None, obstacle: Condition | None) -> float | None:
    """Seconds until the next look; None if nothing runs or waits."""
    if report and report.goes_on:
        return LOOK_S
    return WAIT_S if obstacle else None


async def secret_of(data: Data, namespace: str, context: Context) -> Mapping[str, str] | None:
    """The credentials of the data's source: empty without any, None if there is no such Secret."""
    return await context.store.secret(namespace, data.credentials) if data.credentials else {}


def token_of(data: Data, tenant: str, name: str, context: Context, *, asks: bool) -> str:
    """What a job asks the gateway with, for models and for uploaded data alone; empty if it does neither."""
    inference: list[Scope] = ["inference"] if asks else []
    documents: list[Scope] = ["documents"] if data.upload else []
    scopes = inference + documents
    return context.jobs.token(tenant, name, scopes) if scopes else ""


def obstacle(
    data: Data, namespace: str, secret: Mapping[str, str] | None, *, stopped: bool, stays: str
) -> Condition | None:
    """Why no job of the object may run. `stays` are the files of a stopped one."""
    if stopped:
        return condition(c.READY, False, c.STOPPED, f"spec.stopped is true; its {stays} stay, and false goes on")
    if secret is None:
        message = f"there is no Secret {data.credentials} in namespace {namespace}; create it"
        return condition(c.READY, False, c.SECRET_MISSING, message)
    return None


def missing_model(models: Collection[str], namespace: str, tenant: str, cache: ClusterCache) -> Condition | None:
    """A job does not wait for its models: it would block the turn of a training of them."""
    for name in sorted(model.partition("@")[0] for model in models):
        base = cache.base_model(name) or _served_as(name, cache)
        adapter = next((each for each in cache.adapters(namespace) if each.name == name), None)
        answers = (base and base.spec.allows(tenant)) or (adapter and adapter.status.active)
        if not answers:
            message = f"no model {name} answers for tenant {tenant} yet; it begins then, or correct the name"
            return condition(c.READY, False, c.WAITING, message)
    return None


def _served_as(name: str, cache: ClusterCache) -> BaseModel | None:
    """The base model with a name among its served names."""
    return next((base for base in cache.base_models() if name in base.spec.served_names), None)
