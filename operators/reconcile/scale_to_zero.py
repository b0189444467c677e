"""Whether a base model that may scale to zero needs engines (pure)."""

from dataclasses import dataclass

from contract import conditions as c
from contract.adapter import Adapter, AdapterStatus, Decision
from contract.base_model import BaseModel
from contract.conditions import Condition, Conditions, condition, find


@dataclass(frozen=True)
class Use:
    """`runs`: replicas exist; `serves`: one of them answers. `idle_s` is the time since the last request that a gateway
    has said; it is `certain` if all have said so lately. `is_waited_for`: something other than a request needs an
    engine. `was_needed`: the decision before."""

    runs: bool
    serves: bool
    idle_s: float
    certain: bool
    is_waited_for: bool
    was_needed: bool


def needs_engines(base: BaseModel, use: Use) -> bool:
    """An engine that starts is left to finish its start. A request at one gateway is enough for an engine; to do
    without takes word from every gateway."""
    scaling = base.spec.autoscaling
    if scaling is None or scaling.min_replicas or use.is_waited_for:
        return True
    if use.runs and not use.serves:
        return True
    return use.idle_s < scaling.idle_seconds or (use.was_needed and not use.certain)


def waits_for_engine(adapter: Adapter, decision: Decision | None) -> bool:
    """True if an accepted adapter has something to release that only an engine can prove."""
    status, spec = adapter.status, adapter.spec
    if spec.fine_tune:
        return False  # no engine can prove a result that is not there yet
    if decision is not None and decision.id != status.handled:
        return True
    active = status.active
    if status.canary or active is None:
        return not _has_failed(adapter)
    declared = (spec.source, spec.prompt, spec.base_model)
    return (active.source, active.prompt, active.base_model) != declared and not _has_failed(adapter)


def _has_failed(adapter: Adapter) -> bool:
    """True if the spec as it is cannot be released by an engine."""
    conditions = (find(adapter.status.conditions, kind) for kind in (c.FETCHED, c.RELEASED))
    return any(
        each is not None
        and not each.holds
        and each.reason not in c.ON_ITS_WAY | {c.CANARY_RUNNING}
        and each.observed_generation == adapter.metadata.generation
        for each in conditions
    )


def of_base(base: BaseModel) -> Condition:
    seconds = base.spec.autoscaling.idle_seconds if base.spec.autoscaling else 0
    return condition(c.READY, True, c.SCALED_TO_ZERO, f"no request for {seconds} s: the next one starts an engine")


def starting() -> Condition:
    return condition(c.READY, True, c.SCALED_TO_ZERO, "an engine is starting; requests wait for it")


def was_at_zero(conditions: Conditions) -> bool:
    ready = find(conditions, c.READY)
    return ready is not None and ready.reason == c.SCALED_TO_ZERO


def of_adapter(adapter: Adapter, verdict: Condition, now: str) -> AdapterStatus:
    """The status of a released adapter while no engine runs: what was observed before stands."""
    ready = condition(c.READY, True, c.SCALED_TO_ZERO, "no engine runs while nobody asks: the next request starts one")
    before = adapter.status.conditions
    dated = {
        each.type: each for each in c.merged(before, (verdict, ready), generation=adapter.metadata.generation, now=now)
    }
    conditions = tuple(dated.get(each.type, each) for each in before)
    update = {"replicas_ready": 0, "replicas_desired": 0, "conditions": conditions}
    return adapter.status.model_copy(update=update)
