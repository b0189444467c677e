"""Faults in any order, on an engine that can be made to have them. What the real one does: tests/system."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.agent import DesiredAdapter, DesiredChange, DesiredSet, verified_revision
from contract.engine_memory import RESIDENTS
from serving.agent import engine_watch
from serving.agent.culprits import DEATHS
from serving.agent.errors import UnavailableError
from tests.serving.agent.world import BASE, World, candidate_of, desired_set, states_of


@pytest.fixture
async def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    await world.start_agent()
    return world


async def test_a_bad_adapter_never_stops_another(world: World) -> None:
    world.engine.unloadable.add("b")
    world.agent.desire(
        desired_set(candidate_of("a", "1"), candidate_of("b", "2"), candidate_of("c", "bad"), candidate_of("d", "3"))
    )
    status = await world.settle()
    assert states_of(status) == {"a": "Ready", "b": "Failed", "c": "Failed", "d": "Ready"}


async def test_a_change_of_the_set_that_it_has_is_taken_and_one_of_another_set_is_not(world: World) -> None:
    first, second = candidate_of("a", "1"), candidate_of("b", "2")
    before, after = desired_set(first), desired_set(second)
    change = DesiredChange(before=before.digest, after=after.digest, adapters=(second,), removed=(first.version_name,))
    assert not world.agent.change(change), "it has no set yet"
    world.agent.desire(before)
    assert not world.agent.change(change.model_copy(update={"after": before.digest})), "another result"
    assert world.agent.change(change)
    assert not world.agent.change(change), "it is made already"
    assert states_of(await world.settle()) == {"b": "Ready"}


async def test_the_fact_that_failed_is_the_first_one(world: World) -> None:
    world.engine.unloadable.add("b")
    world.agent.desire(desired_set(candidate_of("b", "2")))
    status = await world.settle()
    assert (status.adapters[0].reason, "rank 512" in status.adapters[0].message) == ("LoadFailed", True)
    assert not any(call.startswith("probe acme.b") for call in world.engine.calls)


async def test_a_replica_is_not_ready_before_its_required_adapters_answer_also_after_a_death_in_the_middle(
    world: World,
) -> None:
    items = [candidate_of(name, str(n), required=True) for n, name in enumerate("abc", 1)]
    world.agent.desire(desired_set(*items))
    assert (await world.settle()).ready
    world.engine.restart()
    world.engine.dies_after = 4
    await world.agent._pass()
    assert world.agent.status.value is not None
    assert not world.agent.status.value.ready
    world.engine.restart()
    seen = []
    original = world.agent._publish

    def publish() -> None:
        original()
        assert world.agent.status.value is not None
        seen.append((world.agent.status.value.ready, len(world.engine.names)))

    world.agent._publish = publish  # type: ignore[method-assign]
    status = await world.settle()
    assert status.ready
    assert all(len_ == 3 for ready, len_ in seen if ready)


async def test_a_version_that_the_engine_lost_is_not_ready(world: World) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1")))
    assert states_of(await world.settle()) == {"a": "Ready"}
    world.engine.names.clear()
    world.engine.unloadable.add("a")
    assert states_of(await world.settle()) == {"a": "Failed"}


async def test_an_agent_that_is_started_anew_takes_nothing_away_and_says_nothing_before_it_knows(world: World) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1")))
    digest = (await world.settle()).adapters[0].digest
    world.engine.calls.clear()
    await world.start_agent()
    await world.agent._pass()
    assert world.agent.status.value is None
    world.agent.desire(desired_set(candidate_of("a", "1"), candidate_of("a", "1", digest=digest, required=True)))
    await world.agent._pass()
    assert world.agent.status.value is not None
    assert world.agent.status.value.ready
    await world.settle()
    assert not any(call.startswith(("load", "unload")) for call in world.engine.calls)


async def test_an_agent_that_is_started_anew_takes_one_missed_answer_for_no_death(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_watch, "PERIOD_S", 0.0)
    world.agent.desire(desired_set(candidate_of("a", "1")))
    await world.settle()
    started, world.engine.start = world.engine.start, None
    await world.start_agent()
    world.agent.desire(desired_set(candidate_of("a", "1")))
    await world.agent._pass()
    assert world.agent.status.value is None
    world.engine.start = started
    assert (await world.settle()).ready
    world.engine.start = None
    await world.settle()
    assert world.agent.status.value is not None
    assert not world.agent.status.value.ready


async def test_an_agent_that_finds_its_engine_down_says_so(world: World) -> None:
    world.engine.start = None
    world.agent.desire(desired_set(candidate_of("a", "1")))
    assert not (await world.settle()).ready


async def test_one_unload_that_fails_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1"), candidate_of("b", "2")))
    await world.settle()
    unload = world.engine.unload

    async def stubborn(name: str) -> None:
        if name.startswith("acme.a"):
            raise UnavailableError("UnloadFailed", "no")
        await unload(name)

    monkeypatch.setattr(world.engine, "unload", stubborn)
    world.agent.desire(desired_set())
    await world.settle()
    assert {name.split(".")[1] for name in world.engine.names} == {"a"}


async def test_a_version_that_answers_otherwise_than_its_record_is_taken_out_of_service(world: World) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1")))
    status = await world.settle()
    name, recorded = status.adapters[0].engine_name or "", status.adapters[0].fingerprint
    world.engine.restart()
    world.engine.weights[name] = 1.5
    await world.start_agent()
    world.agent.desire(desired_set(candidate_of("a", "1", fingerprint=recorded)))
    status = await world.settle()
    assert (status.adapters[0].state, status.adapters[0].reason) == ("Failed", "FingerprintDiffers")
    assert name not in world.engine.names
    world.engine.weights[name] = 1.0
    world.retry_now()
    assert states_of(await world.settle()) == {"a": "Ready"}


async def test_a_version_that_answers_as_its_record_is_served_whatever_its_base_model_answers(world: World) -> None:
    """An engine was seen to answer for the base model with an adapter's weights."""
    world.agent.desire(desired_set(candidate_of("a", "1")))
    (held,) = (await world.settle()).adapters
    await world.start_agent()
    world.engine.restart()
    world.engine.weights[BASE] = 1.0
    world.engine.calls.clear()
    world.agent.desire(desired_set(candidate_of("a", "1", fingerprint=held.fingerprint)))
    assert states_of(await world.settle()) == {"a": "Ready"}
    assert not any(call.startswith("unload") for call in world.engine.calls)


async def test_a_new_agent_does_not_take_a_spoiled_engines_word_for_the_base_models(world: World) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1")))
    await world.settle()
    await world.start_agent()
    world.engine.weights[BASE] = 1.0  # on the engine that the agent before had met
    world.agent.desire(desired_set(candidate_of("a", "1")))
    status = await world.settle()
    assert (status.ready, status.spoiled_by) == (False, "an earlier version")


async def test_a_version_that_the_engine_dies_of_is_not_loaded_for_ever(world: World) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1"), candidate_of("b", "2")))
    for _ in range(DEATHS + 2):
        world.engine.restart()
        world.engine.kills = "acme.b."
        await world.settle()
    world.engine.kills = ""
    world.engine.restart()
    world.engine.calls.clear()
    status = await world.settle()
    assert states_of(status) == {"a": "Ready", "b": "Failed"}
    assert next(h.reason for h in status.adapters if h.adapter == "b") == "EngineEnded"
    await world.start_agent()  # another life of the agent does not load it either
    world.agent.desire(desired_set(candidate_of("a", "1"), candidate_of("b", "2")))
    await world.settle()
    assert not any(call.startswith("load acme.b.") for call in world.engine.calls)


async def test_every_version_is_looked_at_again_on_a_schedule(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1"), candidate_of("b", "2")))
    status = await world.settle()
    wrong = next(h.engine_name for h in status.adapters if h.adapter == "b") or ""
    world.engine.weights[wrong] = 3.0
    assert states_of(await world.settle()) == {"a": "Ready", "b": "Ready"}
    monkeypatch.setattr("serving.agent.audits.AUDIT_PERIOD_S", 0.0)
    assert states_of(await world.settle()) == {"a": "Ready", "b": "Failed"}


async def test_versions_without_a_place_in_memory_are_not_loaded_for_an_audit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, others = candidate_of("a", "1"), (candidate_of("b", "2"), candidate_of("c", "3"))
    world.agent.desire(DesiredSet(adapters=(stays, *others), residents=frozenset({stays.version_name})))
    status = await world.settle()
    assert states_of(status) == {"a": "Ready", "b": "Ready", "c": "Ready"}
    name = status.adapters[0].engine_name
    assert json.loads((world.root / RESIDENTS).read_text()) == [name]
    world.engine.calls.clear()
    monkeypatch.setattr("serving.agent.audits.AUDIT_PERIOD_S", 0.0)
    await world.settle()
    assert {call for call in world.engine.calls if call.startswith("probe acme.")} == {f"probe {name}"}


async def test_an_adapter_without_any_effect_is_not_served(world: World) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1")))
    name = (await world.settle()).adapters[0].engine_name or ""
    world.engine.restart()
    world.engine.weights[name] = 0.0
    assert (await world.settle()).adapters[0].reason in ("NoEffect", "FingerprintDiffers")


async def test_what_the_engine_made_of_a_version_holds_under_every_revision(world: World) -> None:
    """The operator asks for a version by its digest as soon as that is reported: its failure must not begin anew."""
    candidate = candidate_of("a", "1")
    world.agent.desire(desired_set(candidate))
    first = (await world.settle()).adapters[0]
    name, digest = first.engine_name or "", first.digest or ""
    world.agent.desire(desired_set())
    await world.settle()
    world.engine.weights[name] = 0.0
    world.engine.calls.clear()
    for _ in range(5):
        again = DesiredAdapter(
            tenant="acme", adapter="a", source=None, revision=verified_revision(digest), digest=digest
        )
        for items in ((candidate,), (candidate, again), (again,), ()):
            world.agent.desire(desired_set(*items))
            await world.settle()
    assert sum(call.startswith("load") for call in world.engine.calls) <= 1


async def test_a_version_leaves_the_disk_when_nothing_needs_it(world: World) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1"), candidate_of("b", "1"), candidate_of("c", "2")))
    digests = {h.adapter: h.digest for h in (await world.settle()).adapters}
    world.agent.desire(desired_set(candidate_of("b", "1")))
    await world.settle()
    assert world.artifacts
    assert world.artifacts._store.digests == {digests["b"]}


EVENTS = ["restart", "die", "lose", "agent", "want a", "want b", "want c", "drop a", "drop b", "pass", "break"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(EVENTS), max_size=25))
async def test_whatever_happened_the_engine_ends_with_exactly_what_is_desired(
    tmp_path_factory: pytest.TempPathFactory, events: list[str]
) -> None:
    world = World(tmp_path_factory.mktemp("store"))
    await world.start_agent()
    for event in ["pass", *events]:
        await world.happen(event)
        world.agent.desire(desired_set(*world.wanted.values()))
        await world.agent._pass()
    await world.mend()
    status = await world.settle()
    assert set(states_of(status)) == set(world.wanted)
    assert set(states_of(status).values()) <= {"Ready"}
    assert {name.split(".")[1] for name in world.engine.names} == set(world.wanted)
    # Only what lies verified under its digest was ever loaded.
    assert all(Path(path).parent == world.root and len(Path(path).name) == 64 for path in world.engine.paths)


async def test_a_version_that_answers_nothing_may_have_spoiled_its_engine_too(world: World) -> None:
    world.agent.desire(desired_set(candidate_of("a", "1")))
    await world.settle()
    world.engine.weights[BASE] = 0.5
    world.engine.silent.add("b")
    world.agent.desire(desired_set(candidate_of("a", "1"), candidate_of("b", "2")))
    status = await world.settle()
    assert (status.adapters[1].reason, status.ready) == ("SpoilsEngine", False)


async def test_an_engine_whose_base_model_answers_otherwise_is_taken_out_until_it_is_a_new_one(world: World) -> None:
    """The version after whose load that began is named, and the next engine is filled without it."""
    world.agent.desire(desired_set(candidate_of("a", "1")))
    await world.settle()
    world.engine.weights[BASE] = 0.5  # from now on
    world.agent.desire(desired_set(candidate_of("a", "1"), candidate_of("b", "2")))
    status = await world.settle()
    assert (status.ready, (status.spoiled_by or "").startswith("acme.b.")) == (False, True)
    assert status.adapters[1].reason == "SpoilsEngine"
    assert "a" not in {h.adapter for h in status.adapters if h.state == "Ready"}
    del world.engine.weights[BASE]
    world.engine.restart()
    status = await world.settle()
    assert (status.ready, status.spoiled_by) == (True, None)
    assert states_of(status) == {"a": "Ready", "b": "Failed"}
