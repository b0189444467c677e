"""The figures of a canary beside the active version, for its status (pure)."""

from datetime import datetime, timedelta

from contract.adapter import Adapter, CanaryVersion, Sample, Trial
from contract.gateway import Arm
from operators.reconcile.release import Observed

# Each change wakes everybody who watches adapters.
LEAST_BETWEEN = timedelta(seconds=5)


def trial(adapter: Adapter, canary: CanaryVersion | None, observed: Observed) -> Trial | None:
    """None without a canary. While a gateway is silent the last figures stay."""
    if canary is None or adapter.spec.rollout.canary is None:
        return None
    stored = adapter.status.trial if adapter.status.trial and adapter.status.trial.digest == canary.digest else None
    if stored and not (observed.gateways and _is_due(stored, observed.now)):
        return stored
    comparison = observed.comparison_of(adapter, canary)
    new = Trial(
        digest=canary.digest,
        at=observed.now,
        needed=adapter.spec.rollout.canary.checks.min_requests,
        canary=_sample(comparison.canary),
        active=_sample(comparison.active),
    )
    return stored if stored and stored == new.model_copy(update={"at": stored.at}) else new


def _is_due(stored: Trial, now: str) -> bool:
    """After the clock was set back, too."""
    return abs(datetime.fromisoformat(now) - datetime.fromisoformat(stored.at)) >= LEAST_BETWEEN


def _sample(arm: Arm) -> Sample:
    return Sample(
        requests=arm.requests,
        errors=arm.errors,
        grounded=arm.grounded,
        uncited=arm.uncited,
        first_token_ms=round(arm.first_token.mean * 1000) if arm.first_token.count else None,
        tokens=round(arm.length.mean, 1) if arm.length.count else None,
    )
