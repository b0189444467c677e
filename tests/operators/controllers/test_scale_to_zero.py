"""A base model without requests loses its engine, and gets one again with the first request."""

from typing import Any

from contract import conditions as c
from contract.agent import AdapterReport, AgentStatus
from contract.conditions import Condition
from contract.engine_name import engine_name
from contract.gateway import BaseUses, GatewayState
from contract.objects import AnyObject
from operators.controllers.peer import Peer
from tests.operators import objects
from tests.operators.controllers.loop import ENGINE, GATEWAY, Loop

IDLE_S = 900
DIGEST = "a" * 64
NAME = engine_name("acme", "support", DIGEST)


def _objects(**adapter: Any) -> list[AnyObject]:
    base = objects.base_model(autoscaling={"minReplicas": 0, "maxReplicas": 1, "idleSeconds": IDLE_S})
    return [base, objects.tenant("acme"), objects.adapter(**adapter)]


def _agent(revision: str = "r1") -> AgentStatus:
    held = AdapterReport(tenant="acme", adapter="support", revision=revision, state="Ready", digest=DIGEST,
                         engine_name=NAME)  # fmt: skip
    return AgentStatus(version=1, ready=True, started=1.0, adapters=(held,))


def _released() -> Loop:
    """An adapter that answers and that every gateway routes to."""
    loop = Loop()
    loop.files_say(_objects())
    loop.settle()
    loop.agent_says(_agent())
    loop.settle()
    for _ in range(3):
        routes = {"acme.support": 1}
        loop.gateway_says(GatewayState(generation=loop.cache.published, flips=routes, routable=frozenset({NAME})))
        loop.settle()
    assert c.holds(loop.adapter("support").status.conditions, c.RELEASED)
    return loop


def _used(loop: Loop, **idle_s: float) -> Loop:
    loop.events.bases_used(GATEWAY, BaseUses(idle_s=idle_s), loop.now)
    return loop.settle()


def _idle(loop: Loop, seconds: float) -> Loop:
    """Looks at everything each second, as the operator does."""
    for _ in range(int(seconds)):
        loop.time_passes(1)
        _used(loop)
    return loop


def _ready(loop: Loop, kind: str) -> Condition:
    item = loop.adapter("support") if kind == "Adapter" else loop.objects.base_models[0]
    ready = c.find(item.status.conditions, c.READY)
    assert ready
    return ready


def _stopped() -> Loop:
    loop = _idle(_released(), IDLE_S + 2)
    assert not loop.engine.is_needed
    loop.events.peer_changed(ENGINE, None)
    return loop.settle()


def test_an_engine_stops_after_the_time_without_a_request_and_not_before() -> None:
    loop = _idle(_released(), IDLE_S - 2)
    assert loop.engine.is_needed
    assert not _idle(loop, 5).engine.is_needed


def test_a_request_begins_the_time_anew() -> None:
    loop = _used(_idle(_released(), IDLE_S - 2), base=0.0)
    assert _idle(loop, IDLE_S - 2).engine.is_needed


def test_a_gateway_that_is_silent_keeps_the_engine() -> None:
    loop = _released()
    for _ in range(3 * IDLE_S):
        loop.time_passes(1)
        loop.settle()
    assert loop.engine.is_needed


def test_what_waits_for_a_request_is_ready_and_says_so() -> None:
    loop = _stopped()
    for kind in ("BaseModel", "Adapter"):
        assert (_ready(loop, kind).holds, _ready(loop, kind).reason) == (True, c.SCALED_TO_ZERO)
    adapter = loop.adapter("support").status
    assert c.holds(adapter.conditions, c.RELEASED)
    assert c.holds(adapter.conditions, c.FETCHED)
    assert adapter.active


def test_the_first_request_starts_an_engine_at_once() -> None:
    loop = _used(_stopped(), base=0.0)
    assert loop.engine.is_needed
    loop.events.peer_changed(None, ENGINE)
    loop.agent_says(_agent())
    loop.settle()
    assert _ready(loop, "Adapter").reason == c.ANSWERING


def test_one_silent_gateway_keeps_no_request_waiting() -> None:
    loop = _stopped()
    silent = Peer(name="gateway-2", uid="gateway-2", base="", control_url="http://gateway-2")
    loop.events.peer_changed(None, silent)
    assert _used(loop, base=0.0).engine.is_needed


def test_while_the_first_engine_starts_everything_stays_released_and_ready() -> None:
    loop = _used(_stopped(), base=0.0)
    loop.events.peer_changed(None, ENGINE)
    loop.agent_says(AgentStatus(version=0, ready=False, started=None))
    loop.settle()
    for kind in ("BaseModel", "Adapter"):
        assert (_ready(loop, kind).holds, _ready(loop, kind).reason) == (True, c.SCALED_TO_ZERO)
    assert c.holds(loop.adapter("support").status.conditions, c.RELEASED)


def test_another_source_starts_an_engine_which_proves_it() -> None:
    loop = _stopped()
    loop.files_say(_objects(source="/adapters/v2"), revision="r2")
    loop.settle()
    assert loop.engine.is_needed


def test_it_stays_stopped_over_a_start_of_the_operator() -> None:
    before = _stopped()
    loop = Loop()
    loop.events.peer_changed(ENGINE, None)
    for item in before.objects.all:
        loop.events.object_changed(None, before.cache.objects[item.key])
    loop.engine.is_needed = True
    _idle(loop.settle(), 5)
    assert not loop.engine.is_needed
    assert _ready(loop, "Adapter").reason == c.SCALED_TO_ZERO
