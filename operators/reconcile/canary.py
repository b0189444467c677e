"""Compares a canary with the active version (pure).

A difference counts if it exceeds its limit and is significant: a one-sided z over 3, so high because the test is
repeated while requests arrive.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contract.adapter import CanaryChecks
from contract.gateway import Arm, Comparison, GatewayState, Moments

SIGNIFICANT = 3.0


@dataclass(frozen=True)
class Verdict:
    """`enough`: both versions have the requested number of answers. `faults` describe each regression."""

    enough: bool
    faults: tuple[str, ...]
    evidence: str


def together(gateways: Sequence[GatewayState], canary: str) -> Comparison:
    """The comparisons of a canary, by its name there."""
    comparisons = [gateway.comparisons[canary] for gateway in gateways if canary in gateway.comparisons]
    return Comparison(
        canary=sum((item.canary for item in comparisons), Arm()),
        active=sum((item.active for item in comparisons), Arm()),
    )


def judge(checks: CanaryChecks, comparison: Comparison) -> Verdict:
    canary, active = comparison.canary, comparison.active
    enough = min(canary.requests, active.requests) >= checks.min_requests
    evidence = f"{canary.requests} requests against {active.requests}, at least {checks.min_requests} each"
    return Verdict(enough, tuple(_faults(checks, canary, active)) if enough else (), evidence)


def _faults(checks: CanaryChecks, canary: Arm, active: Arm) -> Iterable[str]:
    shares = (
        ("errors", _Share(canary.errors, canary.requests), _Share(active.errors, active.requests),
         checks.max_error_increase, False),
        ("answers without a source", _Share(canary.uncited, canary.grounded), _Share(active.uncited, active.grounded),
         checks.max_abstention_shift, True),
        ("answers that end by themselves", _Share(canary.stopped, _answers(canary)),
         _Share(active.stopped, _answers(active)), checks.max_finish_shift, True),
    )  # fmt: skip
    for what, new, old, limit, either_way in shares:
        if _shifted(new, old, limit, either_way=either_way):
            yield f"{what}: {new.value:.1%} against {old.value:.1%}, the limit is a difference of {limit:.0%}"
    means = (
        ("seconds to the first token", canary.first_token, active.first_token, checks.max_latency_ratio, False),
        ("tokens an answer", canary.length, active.length, checks.max_length_ratio, True),
    )
    for what, fresh, active_mean, ratio, either_way in means:
        if _apart(fresh, active_mean, ratio) or (either_way and _apart(active_mean, fresh, ratio)):
            yield f"{what}: {fresh.mean:.3g} against {active_mean.mean:.3g}, the limit is a factor of {ratio:g}"


@dataclass(frozen=True)
class _Share:
    part: int
    whole: int

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole else 0.0


def _answers(arm: Arm) -> int:
    return arm.requests - arm.errors


def _shifted(new: _Share, old: _Share, limit: float, *, either_way: bool) -> bool:
    if not new.whole or not old.whole:
        return False
    difference = abs(new.value - old.value) if either_way else new.value - old.value
    pooled = (new.part + old.part) / (new.whole + old.whole)
    error = math.sqrt(pooled * (1 - pooled) * (1 / new.whole + 1 / old.whole))
    return difference > limit and difference > SIGNIFICANT * error


def _apart(larger: Moments, smaller: Moments, ratio: float) -> bool:
    difference = larger.mean - smaller.mean * ratio
    return difference > SIGNIFICANT * math.hypot(larger.mean_error, ratio * smaller.mean_error)
