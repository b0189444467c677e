"""A tenant's limits of trainings, and what is used of them (pure)."""

from collections.abc import Sequence
from datetime import datetime

from contract import conditions as c
from contract.conditions import Condition, condition
from contract.fine_tune import FineTune
from contract.tenant import Tenant, TrainingUse
from operators.desired.training import gpus

_MINUTE = 60


def uses(tenant: Tenant, tunes: Sequence[FineTune], now: datetime) -> tuple[TrainingUse, ...]:
    """The trainings of the month, in whole minutes. A deleted FineTune's stay."""
    month = _month(now)
    by_run = {use.run: use for use in tenant.status.training if use.month == month}
    for tune in tunes:
        training = tune.status.training
        if training and training.began.startswith(month) and training.seconds:
            run = f"{tune.name}.{training.run}"
            minutes = -(-training.seconds // _MINUTE)
            seconds = max(minutes * _MINUTE * gpus(tune.spec.resources), by_run[run].seconds if run in by_run else 0)
            by_run[run] = TrainingUse(month=month, run=run, seconds=seconds)
    return tuple(by_run[run] for run in sorted(by_run))


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
    others = sum(_is_active(other) for other in tunes if other.key != tune.key)
    if others >= limits.at_once:
        message = f"tenant {tenant.name} trains {others} adapters already; it begins when one of them ends"
        return condition(c.READY, False, c.OVER_LIMIT, message)
    return None


def _is_active(tune: FineTune) -> bool:
    """True if it has a job."""
    ready = c.find(tune.status.conditions, c.READY)
    return ready is not None and ready.reason in (c.TRAINING, c.QUEUED)


def _month(now: datetime) -> str:
    return f"{now:%Y-%m}"
