"""A new version is tried on one replica before the others load it."""

from typing import Literal

from contract.adapter import Adapter
from contract.agent import AdapterReport, AgentStatus
from contract.resource import Key
from operators.desired.pilot import pilots
from tests.operators import objects

KEY = Key(kind="Adapter", namespace="acme", name="support")


def _report(state: Literal["Ready", "Loading", "Failed"] | None, *, ready: bool = True) -> AgentStatus:
    held = (AdapterReport(tenant="acme", adapter="support", revision="r2", state=state),) if state else ()
    return AgentStatus(version=1, ready=ready, started=1.0, adapters=held)


def _pilot(**replicas: AgentStatus | None) -> str | None:
    adapter = objects.adapter()
    assert isinstance(adapter, Adapter)
    return pilots((adapter,), {"acme": "acme"}, {KEY: "r2"}, replicas).get(KEY)


def test_an_unproven_candidate_goes_to_one_ready_replica() -> None:
    assert _pilot(a=_report(None, ready=False), b=_report(None), c=_report(None)) == "b"


def test_the_replica_that_has_begun_keeps_its_turn() -> None:
    assert _pilot(a=_report(None), b=_report("Loading")) == "b"
    assert _pilot(a=_report(None), b=_report("Failed", ready=False)) == "b"


def test_a_proven_candidate_may_go_everywhere() -> None:
    assert _pilot(a=_report(None), b=_report("Ready"), c=_report("Loading")) is None


def test_another_replica_takes_over_from_a_silent_one_and_nobody_waits_where_all_are() -> None:
    assert _pilot(a=None, b=_report(None)) == "b"
    assert _pilot(a=None, b=None) is None
    assert _pilot() is None


def test_an_adapter_of_a_namespace_without_a_tenant_has_no_pilot() -> None:
    adapter = objects.adapter()
    assert isinstance(adapter, Adapter)
    assert pilots((adapter,), {}, {KEY: "r2"}, {"a": _report(None)}) == {}
