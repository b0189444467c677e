"""More adapters than an engine has places for, over the real controllers."""

import hashlib

import pytest

from contract import conditions as c
from contract.agent import AdapterReport, AgentStatus, DesiredAdapter
from contract.engine_name import engine_name
from contract.gateway import GatewayState
from contract.objects import AnyObject
from serving.gateway.catalog import build_catalog
from tests.operators import objects
from tests.operators.controllers.loop import BEGIN, Loop


@pytest.fixture
def loop() -> Loop:
    return Loop()


def _says(loop: Loop, *adapters: AnyObject, places: int = 4) -> None:
    """Until all adapters answer, and the gateway has taken them up."""
    base = objects.base_model(lora={"slots": 1, "cpuSlots": places})
    loop.files_say((base, objects.tenant("acme"), objects.tenant("globex"), *adapters))
    for _ in range(4):
        loop.settle()
        items = tuple(map(_ready, loop.pushed.desired.adapters))
        loop.agent_says(AgentStatus(version=1, ready=True, started=1.0, adapters=items))
        loop.settle()
        catalog = build_catalog(loop.snapshot, BEGIN)
        loop.gateway_says(GatewayState(generation=catalog.generation, flips=catalog.flips, routable=catalog.routable))
    loop.settle()


def _ready(item: DesiredAdapter) -> AdapterReport:
    digest = item.digest or hashlib.sha256(f"{item.tenant}/{item.adapter}".encode()).hexdigest()
    name = engine_name(item.tenant, item.adapter, digest)
    return AdapterReport(
        tenant=item.tenant, adapter=item.adapter, revision=item.revision, state="Ready", digest=digest, engine_name=name
    )


def _on_demand(loop: Loop) -> set[str]:
    return {a.name for a in loop.objects.adapters if c.find(a.status.conditions, c.RESIDENT)}


def test_adapters_that_fit_have_their_places(loop: Loop) -> None:
    """Each has its active version and a candidate of the same content, which is one version."""
    _says(loop, *(objects.adapter(name) for name in "abcd"))
    assert loop.pushed.desired.residents is None
    assert _on_demand(loop) == set()


def test_adapters_beyond_memory_answer_and_say_that_they_are_loaded_when_asked_for(loop: Loop) -> None:
    _says(loop, *(objects.adapter(name) for name in "abcdef"))
    assert all(a.status.routed for a in loop.objects.adapters)
    assert loop.pushed.desired.residents is not None
    assert _on_demand(loop) == {"d", "e", "f"}
    targets = build_catalog(loop.snapshot, BEGIN).tenants["acme"].targets
    assert {name for name, target in targets.items() if target.is_on_demand} == {"d", "e", "f"}


def test_an_adapter_for_one_engine_says_so_and_requests_go_there(loop: Loop) -> None:
    _says(loop, *(objects.adapter(name, residency={"replicas": 1}) for name in "abcdef"))
    assert all(a.status.routed for a in loop.objects.adapters)
    condition = c.find(loop.adapter("f").status.conditions, c.RESIDENT)
    assert condition
    assert (condition.holds, condition.reason) == (True, c.ON_SOME_REPLICAS)
    targets = build_catalog(loop.snapshot, BEGIN).tenants["acme"].targets
    assert (targets["f"].is_on_demand, targets["f"].homes) == (True, 1)


def test_places_are_given_back_to_another_tenant_and_taken_again(loop: Loop) -> None:
    mine = [objects.adapter(name) for name in "abcdef"]
    _says(loop, *mine)
    _says(loop, *mine, objects.adapter("x", namespace="globex"))
    assert _on_demand(loop) == {"c", "d", "e", "f"}
    _says(loop, *mine)
    assert _on_demand(loop) == {"d", "e", "f"}
    _says(loop, *mine, places=16)
    assert loop.pushed.desired.residents is None
    assert _on_demand(loop) == set()


def test_a_start_of_the_operator_writes_nothing(loop: Loop) -> None:
    _says(loop, *(objects.adapter(name) for name in "abcdef"))
    before = loop.objects
    loop.cache.on_demand.clear()
    loop.events.enqueue_everything()
    loop.settle()
    assert loop.objects == before


def test_places_that_came_while_no_operator_ran_are_noticed(loop: Loop) -> None:
    adapters = [objects.adapter(name) for name in "abcdef"]
    _says(loop, *adapters)
    loop.cache.on_demand.clear()
    _says(loop, *adapters, places=16)
    assert _on_demand(loop) == set()
