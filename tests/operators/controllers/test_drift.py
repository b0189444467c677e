"""What the detector says of a tenant is a condition of it, written when it changes."""

import pytest

from contract import conditions as c
from contract.conditions import Condition
from contract.drift import DriftReport, SignalReport
from operators.reconcile.drift import REASONS, DriftVerdict, verdicts
from tests.operators import objects
from tests.operators.controllers.loop import Loop


def _signal(state: str) -> SignalReport:
    return SignalReport(state=state, cause="answers", since=0, p_value=None, statistic=None, alpha=None, tested_at=None,
                        samples=0, reference_samples=0, provisional=False, reference="", change="")  # fmt: skip


def _report(cause: str = "", **states: str) -> DriftReport:
    signals = {name: _signal(state) for name, state in states.items()}
    return DriftReport(tenants={"acme": signals}, causes={"acme": cause} if cause else {})


def _loop() -> Loop:
    loop = Loop()
    loop.files_say([objects.tenant("acme"), objects.tenant("globex")])
    return loop.settle()


def _condition(loop: Loop, tenant: str = "acme") -> Condition | None:
    item = next(item for item in loop.objects.tenants if item.name == tenant)
    return c.find(item.status.conditions, c.STEADY)


def test_a_tenant_without_enough_evidence_has_no_condition() -> None:
    loop = _loop()
    loop.events.drift_changed(verdicts(_report(answer_length="insufficient_evidence")))
    assert _condition(loop.settle()) is None


@pytest.mark.parametrize(("cause", "reason"), [*REASONS.items(), ("of a newer detector", c.CHANGED)])
def test_a_drift_is_a_condition_with_its_cause_and_signals(cause: str, reason: str) -> None:
    loop = _loop()
    loop.events.drift_changed(verdicts(_report(cause, b="drift", a="drift", c="ok")))
    condition = _condition(loop.settle())
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", reason)
    assert condition.message.startswith("a, b drift; ")
    assert _condition(loop, "globex") is None
    loop.events.drift_changed(verdicts(_report(a="ok", b="insufficient_evidence")))
    condition = _condition(loop.settle())
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", c.NO_DRIFT)


def test_the_same_verdict_again_reconciles_nothing() -> None:
    loop = _loop()
    loop.events.drift_changed({"acme": DriftVerdict()})
    loop.settle()
    loop.events.drift_changed({"acme": DriftVerdict()})
    assert not loop.pending


def test_a_stored_condition_stays_until_the_detector_has_reported() -> None:
    loop = _loop()
    loop.events.drift_changed({"acme": DriftVerdict(("answer_speed",), "engine")})
    before = _condition(loop.settle())
    loop.cache.drift = None  # as in an operator that has just started
    loop.look_at(next(item.key for item in loop.objects.tenants if item.name == "acme"))
    assert _condition(loop) == before
    loop.events.drift_changed({})
    assert _condition(loop.settle()) is None
