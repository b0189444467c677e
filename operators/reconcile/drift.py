"""The detector's report → one verdict for each tenant, and its condition (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract import conditions as c
from contract.conditions import Condition, condition
from contract.drift import DriftReport, SignalReport

# By the detector's causes; a newer detector may have others.
REASONS = {
    "questions": c.QUESTIONS_CHANGED,
    "documents": c.DOCUMENTS_CHANGED,
    "answers": c.ANSWERS_CHANGED,
    "engine": c.ENGINE_SPEED_CHANGED,
}


@dataclass(frozen=True)
class DriftVerdict:
    """`signals` are those that drift, and `cause` what has changed; both empty if none does."""

    signals: tuple[str, ...] = ()
    cause: str = ""

    @property
    def condition(self) -> Condition:
        if not self.signals:
            return condition(c.STEADY, True, c.NO_DRIFT, "no signal with enough evidence drifts")
        verb = "drifts" if len(self.signals) == 1 else "drift"
        message = f"{', '.join(self.signals)} {verb}; if it is meant, say why in spec.driftReference"
        return condition(c.STEADY, False, REASONS.get(self.cause, c.CHANGED), message)


def verdicts(report: DriftReport) -> dict[str, DriftVerdict]:
    """By tenant; without those of whom no signal has enough evidence."""
    return {
        tenant: DriftVerdict(_drifting(signals), report.causes.get(tenant, ""))
        for tenant, signals in report.tenants.items()
        if any(signal.state != "insufficient_evidence" for signal in signals.values())
    }


def _drifting(signals: Mapping[str, SignalReport]) -> tuple[str, ...]:
    return tuple(sorted(name for name, signal in signals.items() if signal.state == "drift"))
