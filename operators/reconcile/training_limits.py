"""A tenant's limits of trainings, and what is used of them (pure)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from contract import conditions as c
from contract.conditions import Condition, condition
from contract.fine_tune import FineTune
from contract.tenant import MOST_USES, Tenant, TrainingUse
from operators.desired.training import gpus

_MINUTE = 60
_FOLDED = ""  # no name
_LAST = "~"  # sorts after any time


def uses(tenant: Tenant, tunes: Sequence[FineTune], now: datetime) -> tuple[TrainingUse, ...]:
    """The trainings of the month, in whole minutes, also of deleted FineTunes. Earlier months of a FineTune that is
    there stay, since its time is counted from its beginning."""
    month = _month(now)
    present = {_called(tune): tune for tune in tunes if tune.status.training}
    kept = {(use.month, use.run): use for use in tenant.status.training if use.month == month or use.run in present}
    for run, tune in present.items():
        earlier = sum(use.seconds for (of_month, of_run), use in kept.items() if of_run == run and of_month != month)
        seconds = max(_seconds(tune) - earlier, kept[month, run].seconds if (month, run) in kept else 0)
        if seconds:
            kept[month, run] = TrainingUse(month=month, run=run, seconds=seconds)
    return _folded([kept[key] for key in sorted(kept)], month, present)


def _called(tune: FineTune) -> str:
    training = tune.status.training
    return f"{tune.name}.{training.run}.{training.began}" if training else ""


def _seconds(tune: FineTune) -> int:
    """In whole minutes, once for each GPU."""
    minutes = -(-tune.status.training.seconds // _MINUTE) if tune.status.training else 0
    return minutes * _MINUTE * gpus(tune.spec.resources)


def _folded(uses: Sequence[TrainingUse], month: str, present: Collection[str]) -> tuple[TrainingUse, ...]:
    """Keeps at most MOST_USES entries: of FineTunes that are deleted, the rest are added up into one."""
    if len(uses) <= MOST_USES:
        return tuple(uses)
    gone = [use for use in uses if use.run not in present and use.month == month]
    rest = gone[: len(uses) - MOST_USES + 1]
    return (
        TrainingUse(month=month, run=_FOLDED, seconds=sum(use.seconds for use in rest)),
        *(use for use in uses if use not in rest),
    )


def over_limit(tune: FineTune, tenant: Tenant, tunes: Sequence[FineTune], now: datetime) -> Condition | None:
    """Why the training waits for its tenant's others, or for the next month."""
    limits = tenant.spec.training
    hours = sum(use.seconds for use in uses(tenant, tunes, now) if use.month == _month(now)) / 3600
    if hours >= limits.hours_a_month:
        message = (
            f"tenant {tenant.name} has trained {hours:.1f} of {limits.hours_a_month:g} hours in {_month(now)}; raise "
            "training.hoursAMonth, or wait for the next month"
        )
        return condition(c.READY, False, c.OVER_LIMIT, message)
    others = [other for other in tunes if other.key != tune.key and wants(other)]
    before = sum(_rank(other) < _rank(tune) for other in others)
    if before >= limits.at_once:
        message = (
            f"tenant {tenant.name} may train {limits.at_once} at once, and {before} come first; it waits for its turn, "
            "or raise training.atOnce"
        )
        return condition(c.READY, False, c.OVER_LIMIT, message)
    return None


def has_failed(tune: FineTune) -> bool:
    """True if its present training has failed: it has no more use of a limit."""
    return _reason(tune) == c.TRAINING_FAILED and _is_of_run(tune)


def wants(tune: FineTune) -> bool:
    """True if it trains, or if only the limit keeps it from training."""
    result = tune.status.result
    is_done = result is not None and result.run == tune.spec.run
    return not is_done and not tune.spec.stopped and _reason(tune) in (c.TRAINING, c.QUEUED, c.OVER_LIMIT, "")


def _rank(tune: FineTune) -> tuple[bool, str, str]:
    """Those with a job first. Every reconcile finds the same order, whichever runs first."""
    training = tune.status.training
    has_job = _reason(tune) in (c.TRAINING, c.QUEUED) and _is_of_run(tune)
    if training is None or not has_job or training.ended:
        return (True, "", tune.name)
    return (False, training.began or _LAST, tune.name)


def _is_of_run(tune: FineTune) -> bool:
    return tune.status.training is not None and tune.status.training.run == tune.spec.run


def _reason(tune: FineTune) -> str:
    ready = c.find(tune.status.conditions, c.READY)
    return ready.reason if ready else ""


def _month(now: datetime) -> str:
    return f"{now:%Y-%m}"
