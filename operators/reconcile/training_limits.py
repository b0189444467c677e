"""A tenant's limits of trainings, and what is used of them (pure)."""

from collections.abc import Sequence
from datetime import datetime

from contract import conditions as c
from contract.conditions import Condition, condition
from contract.fine_tune import FineTune
from contract.tenant import MOST_USES, Tenant, TrainingUse
from operators.desired.training import gpus

_MINUTE = 60
_FOLDED = ""  # sorts before any name


def uses(tenant: Tenant, tunes: Sequence[FineTune], now: datetime) -> tuple[TrainingUse, ...]:
    """The trainings of the month, in whole minutes. A deleted FineTune's stay."""
    month = _month(now)
    by_run = {use.run: use for use in tenant.status.training if use.month == month}
    for tune in tunes:
        training = tune.status.training
        if training and training.began.startswith(month) and training.seconds:
            run = f"{tune.name}.{training.run}.{training.began}"
            minutes = -(-training.seconds // _MINUTE)
            seconds = max(minutes * _MINUTE * gpus(tune.spec.resources), by_run[run].seconds if run in by_run else 0)
            by_run[run] = TrainingUse(month=month, run=run, seconds=seconds)
    return _folded([by_run[run] for run in sorted(by_run)], month)


def _folded(uses: Sequence[TrainingUse], month: str) -> tuple[TrainingUse, ...]:
    """At most as many as a status holds; the first ones become one."""
    most = MOST_USES
    if len(uses) <= most:
        return tuple(uses)
    rest = uses[: len(uses) - most + 1]
    return (TrainingUse(month=month, run=_FOLDED, seconds=sum(use.seconds for use in rest)), *uses[len(rest) :])


def over_limit(tune: FineTune, tenant: Tenant, tunes: Sequence[FineTune], now: datetime) -> Condition | None:
    """Why the training waits for its tenant's others, or for the next month."""
    limits = tenant.spec.training
    hours = sum(use.seconds for use in uses(tenant, tunes, now)) / 3600
    if hours >= limits.hours_a_month:
        message = (
            f"tenant {tenant.name} has trained {hours:.1f} of {limits.hours_a_month:g} hours in {_month(now)}; raise "
            "training.hoursAMonth, or wait for the next month"
        )
        return condition(c.READY, False, c.OVER_LIMIT, message)
    others = [other for other in tunes if other.key != tune.key and _wants(other)]
    before = sum(_rank(other) < _rank(tune) for other in others)
    if before >= limits.at_once:
        message = f"{before} trainings of tenant {tenant.name} come before it; it begins when one of them ends"
        return condition(c.READY, False, c.OVER_LIMIT, message)
    return None


def has_failed(tune: FineTune) -> bool:
    """True if its present training has failed: it has no more use of a limit."""
    return _reason(tune) == c.TRAINING_FAILED and _is_of_run(tune)


def _wants(tune: FineTune) -> bool:
    """True if it trains, or waits for its turn alone."""
    result = tune.status.result
    is_done = result is not None and result.run == tune.spec.run
    return not is_done and not tune.spec.stopped and _reason(tune) in (c.TRAINING, c.QUEUED, c.OVER_LIMIT, "")


def _rank(tune: FineTune) -> tuple[bool, str, str]:
    """Those with a job first. The order depends on no look that comes before another."""
    training = tune.status.training
    has_job = _reason(tune) in (c.TRAINING, c.QUEUED) and _is_of_run(tune)
    return (not has_job, training.began if training and has_job else "", tune.name)


def _is_of_run(tune: FineTune) -> bool:
    return tune.status.training is not None and tune.status.training.run == tune.spec.run


def _reason(tune: FineTune) -> str:
    ready = c.find(tune.status.conditions, c.READY)
    return ready.reason if ready else ""


def _month(now: datetime) -> str:
    return f"{now:%Y-%m}"
