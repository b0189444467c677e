"""Which versions have a place on an engine, in which order."""

from datetime import UTC, datetime

from contract.acceptance import rules_of
from contract.adapter import ActiveVersion, Adapter, AdapterStatus, Version
from contract.agent import AdapterReport, AgentStatus
from contract.base_model import BaseModel
from contract.engine_name import engine_name
from contract.gateway import GatewayState
from contract.objects import AnyObject, collect
from contract.prompt import Prompt
from operators.desired.adapters import fill_slots
from tests.operators import objects

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _digest(version: str) -> str:
    return version * 64


def _placed(*adapters: AnyObject, slots: int, held: AgentStatus | None = None) -> tuple[list[str], dict[str, str]]:
    base = objects.base_model(lora={"slots": 1, "cpuSlots": slots, "onDemand": 0})
    assert isinstance(base, BaseModel)
    found = collect((base, objects.tenant("acme", maxAdapters=100), *adapters))
    rules = rules_of(found, NOW)
    placement = fill_slots(
        found,
        base,
        verdicts={adapter.key: rules.verdict(adapter) for adapter in found.adapters},
        revisions={a.key: "r" for a in found.adapters},
        report=held,
        gateways=lambda *_: (GatewayState(generation=1),),
        credentials={},
    )
    names = [f"{item.adapter}:{(item.digest or '?')[:1]}" for item in placement.adapters]
    return names, {key.name: fact.message for key, fact in placement.unplaced.items()}


def _running(name: str, *, previous: str = "") -> Adapter:
    adapter = objects.adapter(name)
    assert isinstance(adapter, Adapter)
    active = ActiveVersion(**_version(name, "a").model_dump(), generation=1)
    kept = tuple(_version(name, letter) for letter in previous)
    return adapter.model_copy(update={"status": AdapterStatus(active=active, previous=kept)})


def _version(name: str, letter: str) -> Version:
    return Version(
        digest=_digest(letter), engine_name=engine_name("acme", name, _digest(letter)), base_model="base", source="/x"
    )


def test_a_candidate_without_a_slot_is_told_so_and_nothing_that_answers_is_touched() -> None:
    names, unplaced = _placed(_running("one"), _running("two"), objects.adapter("new"), slots=2)
    assert names == ["one:a", "two:a"]
    assert set(unplaced) == {"new", "one", "two"}
    assert "base model base has no room for more than 2 versions" in unplaced["new"]


def test_an_earlier_version_gives_way_to_a_candidate_and_the_oldest_first() -> None:
    first, second = _running("one", previous="bc"), _running("two", previous="d")
    reports = AgentStatus(version=1, ready=True, started=1.0, adapters=(_report("one"), _report("two")))
    names, unplaced = _placed(first, second, slots=5, held=reports)
    assert names == ["one:a", "two:a", "one:?", "two:?", "one:b", "two:d", "one:c"]
    names, unplaced = _placed(first, second, objects.adapter("new"), slots=4, held=reports)
    assert names == ["one:a", "two:a", "new:?", "one:?", "two:?", "one:b"]
    assert unplaced == {}


def test_versions_that_differ_in_their_prompts_alone_have_one_place() -> None:
    running = _running("one", previous="b")
    assert running.status.active
    prompted = {"prompt": Prompt(system="Be kind."), "digest": _digest("c"), "content": _digest("a")}
    previous = (_version("one", "a").model_copy(update=prompted), *running.status.previous)
    one = running.model_copy(update={"status": running.status.model_copy(update={"previous": previous})})
    reports = AgentStatus(version=1, ready=True, started=1.0, adapters=(_report("one"),))
    assert _placed(one, slots=2, held=reports)[0] == ["one:a", "one:?", "one:b"]


def test_a_prompt_alone_has_no_place() -> None:
    assert _placed(objects.prompt_adapter(), slots=1) == ([], {})


def test_the_room_goes_to_tenants_in_turns() -> None:
    others = objects.adapter("zzz", namespace="globex")
    names, unplaced = _placed(objects.adapter("aaa"), objects.adapter("bbb"), others, objects.tenant("globex"), slots=2)
    assert names == ["aaa:?", "zzz:?"]
    assert set(unplaced) == {"bbb"}


def test_an_adapter_whose_secret_is_missing_is_told_so_and_fetches_nothing() -> None:
    names, unplaced = _placed(objects.adapter("private", credentials="hub"), objects.adapter("open"), slots=4)
    assert names == ["open:?"]
    assert unplaced == {"private": "there is no Secret hub in namespace acme; create it"}


def _report(name: str) -> AdapterReport:
    """Of the candidate, which turned out to be what runs already."""
    return AdapterReport(tenant="acme", adapter=name, revision="r", state="Ready", digest=_digest("a"))
