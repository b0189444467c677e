"""A condition says what a person must act on."""

from contract import conditions as c
from contract.adapter import ActiveVersion, Adapter, AdapterStatus
from contract.agent import AdapterReport, AgentStatus
from contract.base_model import BaseModel
from contract.conditions import Condition, condition
from operators.desired.replica_report import ReplicaReport
from operators.reconcile import adapter as adapters
from operators.reconcile import base_model
from operators.reconcile.release import Observed
from tests.operators import objects

ACCEPTED = condition(c.ACCEPTED, True, c.VALID)
NAME = f"acme.support.{'a' * 12}"


def _adapter(*, active: bool = False) -> Adapter:
    found = objects.adapter("support", "acme")
    assert isinstance(found, Adapter)
    version = ActiveVersion(digest="a" * 64, engine_name=NAME, base_model="base", source="/x", generation=1)
    return found.model_copy(update={"status": AdapterStatus(active=version if active else None)})


def _replica(*held: AdapterReport) -> AgentStatus:
    return AgentStatus(version=1, ready=True, started=1.0, adapters=held)


def _held(**fields: object) -> AdapterReport:
    return AdapterReport.model_validate(
        {"tenant": "acme", "adapter": "support", "revision": "r", "state": "Ready"} | fields
    )


def _seen(*replicas: AgentStatus, unplaced: Condition | None = None, **more: object) -> Observed:
    return Observed(
        tenant="acme", revision="r", verdict=ACCEPTED, replicas=replicas, gateways=(), now="2026-01-01T00:00:00Z",
        unplaced=unplaced, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _ready(found: AdapterStatus) -> Condition:
    ready = c.find(found.conditions, c.READY)
    assert ready
    return ready


def test_a_secret_that_is_missing_is_the_reason_why_an_adapter_is_not_ready() -> None:
    missing = condition(c.FETCHED, False, c.SECRET_MISSING, "there is no Secret s in namespace acme; create it")
    ready = _ready(adapters.next_status(_adapter(), _seen(_replica(), unplaced=missing)))
    assert (ready.status, ready.reason, ready.message) == ("False", c.SECRET_MISSING, missing.message)


def test_a_first_artifact_that_is_refused_is_the_reason_too() -> None:
    refused = _held(state="Failed", reason="RankTooHigh", message="rank 64 is above 16; retrain")
    ready = _ready(adapters.next_status(_adapter(), _seen(_replica(refused))))
    assert (ready.reason, ready.message) == ("RankTooHigh", "rank 64 is above 16; retrain")


def test_an_adapter_that_answers_stays_ready_while_another_replica_is_filled() -> None:
    answering = _held(digest="a" * 64, engine_name=NAME)
    loading = _held(digest="a" * 64, engine_name=NAME, state="Loading")
    ready = _ready(adapters.next_status(_adapter(active=True), _seen(_replica(answering), _replica(loading))))
    assert (ready.status, ready.message) == ("True", "version aaaaaaaaaaaa answers on 1 of 2 replicas")
    nobody = _ready(adapters.next_status(_adapter(active=True), _seen(_replica(loading))))
    assert (nobody.status, nobody.reason) == ("False", c.LOADING)


def test_an_adapter_behind_a_gateway_that_is_down_is_not_ready() -> None:
    answering = _held(digest="a" * 64, engine_name=NAME)
    ready = _ready(adapters.next_status(_adapter(active=True), _seen(_replica(answering), gateway_down=True)))
    assert ready.reason == c.GATEWAY_DOWN


def test_a_name_that_is_not_the_base_models_is_noted_and_serves() -> None:
    held = _held(digest="a" * 64, engine_name=NAME, made_for="org/another")
    for names, noted in ((("base", "org/base"), True), (("base", "org/Another-AWQ"), False)):
        status = adapters.next_status(_adapter(active=True), _seen(_replica(held), base_names=names))
        fetched = c.find(status.conditions, c.FETCHED)
        assert fetched
        assert fetched.holds
        assert ("org/another" in fetched.message) is noted


def _base(verdict: Condition, *reports: AgentStatus | None, trouble: str = "") -> Condition:
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    status = base_model.next_status(
        base,
        verdict=verdict,
        replicas={str(number): ("u", ReplicaReport.of(each) if each else None) for number, each in enumerate(reports)},
        now="2026-01-01T00:00:00Z",
        trouble=trouble,
    )
    ready = c.find(status.conditions, c.READY)
    assert ready
    return ready


def test_a_base_model_that_is_refused_says_so_and_not_that_it_starts() -> None:
    refused = condition(c.ACCEPTED, False, c.CLAIM_NOT_MOUNTED, "engines read models from no claim")
    assert (_base(refused, None).reason, _base(refused).message) == (c.CLAIM_NOT_MOUNTED, refused.message)
    answering = _base(refused, _replica())
    assert answering.holds
    assert refused.message in answering.message


def test_why_an_engine_does_not_start_stands_beside_what_answers() -> None:
    assert _base(ACCEPTED, None, trouble="no memory").reason == c.ENGINE_FAILED
    answering = _base(ACCEPTED, _replica(), None, trouble="no memory")
    assert answering.holds
    assert answering.message == "1 of 2 replicas answer; no memory"
