"""The rule that no request may lose its version: checked against every order of events that Hypothesis finds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contract.acceptance import accept
from contract.adapter import ActiveVersion, Adapter, AdapterStatus, Decision, Version
from contract.agent import AgentStatus, DesiredSet, HeldAdapter
from contract.base_model import BaseModel
from contract.gateway import Arm, Comparison, GatewayState
from contract.names import engine_name
from contract.objects import AnyObject, Objects, collect
from contract.snapshot import Snapshot
from operators.desired.adapters import place
from operators.local.reconcile import Decided, Seen, SeenReplica, decide
from serving.gateway.catalog import build_catalog
from tests.operators import objects

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VERSIONS = st.sampled_from(["a", "b", "c"])


def _digest(version: str) -> str:
    return version * 64


class Swaps(RuleBasedStateMachine):
    """An operator, one engine with its agent and one gateway, each acting on news that may be old.

    The source is edited, callers come and go, and every part takes its turn in any order.
    """

    @initialize(version=VERSIONS)
    def start(self, version: str) -> None:
        self.source = version
        self.edits = 0
        self.exists = True
        self.decided: Decided | None = None
        self.desired = DesiredSet()
        self.agent = AgentStatus(version=0, ready=False, started=1.0)
        self.generation = 0
        self.published = Snapshot()
        self.routes = Snapshot()
        self.gateway: GatewayState | None = None
        self.in_flight: list[str] = []
        self.decision: Decision | None = None
        self.canary = False
        self.good = True
        self.clock = NOW

    @rule()
    def canary_on_or_off(self) -> None:
        self.canary = not self.canary

    @rule()
    def canary_answers_otherwise(self) -> None:
        self.good = not self.good

    @rule(action=st.sampled_from(["Promote", "Rollback"]), number=st.integers(0, 10**9))
    def decide_by_hand(self, action: Literal["Promote", "Rollback"], number: int) -> None:
        active = self.decided.objects.adapters[0].status.active if self.decided and self.exists_in_decided else None
        self.decision = Decision(id=str(number), action=action, against=active.digest if active else None)

    @property
    def exists_in_decided(self) -> bool:
        return bool(self.decided and self.decided.objects.adapters)

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.clock += timedelta(seconds=seconds)

    @rule(version=VERSIONS)
    def edit(self, version: str) -> None:
        self.source, self.edits = version, self.edits + 1

    @rule()
    def remove_or_restore(self) -> None:
        self.exists = not self.exists

    @rule()
    def operator_decides(self) -> None:
        found = self._objects()
        seen = Seen(
            objects=found,
            revisions={a.key: f"{self.edits}:{self.source}" for a in found.adapters},
            statuses=self.decided.statuses if self.decided else {},
            replicas={"base": (SeenReplica("base", "http://engine", self.agent),)},
            gateways=(self.gateway,) if self.gateway and self.gateway.generation == self.generation else (),
            ingest=None,
            now=self.clock,
            decisions={a.key: self.decision for a in found.adapters} if self.decision else {},
        )
        self.decided = decide(seen)
        self.desired = self.decided.adapters["base"]
        if self.published.objects != self.decided.objects:
            self.generation += 1
            self.published = Snapshot(generation=self.generation, objects=self.decided.objects)

    @rule()
    def agent_converges(self) -> None:
        held = tuple(
            self._held(item.tenant, item.adapter, item.revision, item.digest) for item in self.desired.adapters
        )
        self.agent = AgentStatus(version=self.agent.version + 1, ready=True, started=1.0, adapters=held)

    @rule()
    def gateway_reads(self) -> None:
        self.routes = self.published

    @rule()
    def operator_asks_gateway(self) -> None:
        catalog = build_catalog(self.routes, NOW)
        self.gateway = GatewayState(
            generation=catalog.generation,
            routable=catalog.routable,
            in_flight={name: self.in_flight.count(name) for name in self.in_flight},
            comparisons={name: self._comparison() for name in catalog.on_trial},
        )

    @rule(request_id=st.sampled_from(["00000000", "ffffffff"]))
    def caller_comes(self, request_id: str) -> None:
        target = build_catalog(self.routes, NOW).tenants.get("acme")
        adapter = target.targets.get("support") if target else None
        if adapter and adapter.engine_name:
            self.in_flight.append(adapter.tried(request_id).engine_name or "")

    @precondition(lambda self: self.in_flight)
    @rule()
    def caller_goes(self) -> None:
        self.in_flight.pop(0)

    @invariant()
    def every_version_that_a_caller_uses_is_on_the_engine(self) -> None:
        if hasattr(self, "in_flight"):
            assert set(self.in_flight) <= self.agent.answering

    @invariant()
    def every_version_that_a_gateway_may_choose_is_on_the_engine(self) -> None:
        if hasattr(self, "routes"):
            assert build_catalog(self.routes, NOW).routable - {"base"} <= self.agent.answering

    def teardown(self) -> None:
        """Left alone, everything settles: the source's version is held unless it was taken back, and one before it."""
        if not hasattr(self, "in_flight"):
            return
        self.in_flight.clear()
        for _ in range(8):
            self.time_passes(100)
            self.operator_decides()
            self.agent_converges()
            self.gateway_reads()
            self.operator_asks_gateway()
        held, routable = self.agent.answering, build_catalog(self.routes, NOW).routable - {"base"}
        if not self.exists:
            assert not held | routable
            return
        assert self.decided
        status = self.decided.objects.adapters[0].status
        source = engine_name("acme", "support", _digest(self.source))
        assert status.active
        assert status.canary is None
        assert status.active.engine_name == source or status.rejected
        assert routable == {status.active.engine_name}
        assert held == {source, status.active.engine_name, *(version.engine_name for version in status.previous)}
        assert len(status.previous) <= 1

    def _comparison(self) -> Comparison:
        arm = Arm(requests=100, stopped=100)
        return Comparison(active=arm, canary=arm if self.good else Arm(requests=100, errors=50))

    def _objects(self) -> Objects:
        steps = [{"weight": 10, "seconds": 30}, {"weight": 50, "seconds": 30}]
        rollout = {"canary": {"steps": steps}} if self.canary else {}
        return objects.two_tenants(*([objects.adapter(rollout=rollout)] if self.exists else []))

    def _held(self, tenant: str, adapter: str, revision: str, digest: str | None) -> HeldAdapter:
        content = digest or _digest(revision.partition(":")[2])
        name = engine_name(tenant, adapter, content)
        return HeldAdapter(
            tenant=tenant, adapter=adapter, revision=revision, state="Ready", digest=content, engine_name=name
        )


TestSwaps = Swaps.TestCase
TestSwaps.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def _observed(found: Objects, *, held: AgentStatus, gateways: tuple[GatewayState, ...] = ()) -> Seen:
    return Seen(
        objects=found,
        revisions={a.key: "r1" for a in found.adapters},
        statuses={},
        replicas={"base": (SeenReplica("base", "u", held),)},
        gateways=gateways,
        ingest=None,
        now=NOW,
    )


def _failed(name: str) -> HeldAdapter:
    return HeldAdapter(
        tenant="acme", adapter=name, revision="r1", state="Failed", reason="RankTooHigh", message="rank 64 is above 16"
    )


def _ready(name: str) -> HeldAdapter:
    return HeldAdapter(
        tenant="acme",
        adapter=name,
        revision="r1",
        state="Ready",
        digest=_digest("a"),
        engine_name=engine_name("acme", name, _digest("a")),
    )


def _status(decided: Decided, name: str) -> Adapter:
    return next(adapter for adapter in decided.objects.adapters if adapter.name == name)


def test_a_bad_adapter_says_its_fact_and_a_good_one_is_served() -> None:
    found = objects.two_tenants(objects.adapter("bad"), objects.adapter("good"))
    held = AgentStatus(version=1, ready=True, started=1.0, adapters=(_failed("bad"), _ready("good")))
    decided = decide(_observed(found, held=held))
    bad, good = _status(decided, "bad"), _status(decided, "good")
    assert good.status.active is not None
    assert bad.status.active is None
    assert [c.message for c in bad.status.conditions if c.type == "Fetched"] == ["rank 64 is above 16"]


def test_an_edit_that_is_refused_leaves_the_version_that_answers() -> None:
    first = decide(
        _observed(
            objects.two_tenants(objects.adapter()),
            held=AgentStatus(version=1, ready=True, started=1.0, adapters=(_ready("support"),)),
        )
    )
    broken = objects.two_tenants(objects.adapter(baseModel="missing"))
    again = decide(
        replace(
            _observed(broken, held=AgentStatus(version=1, ready=True, started=1.0, adapters=(_ready("support"),))),
            statuses=first.statuses,
        )
    )
    kept = _status(again, "support").status
    assert kept.active == _status(first, "support").status.active
    assert [c.reason for c in kept.conditions if c.type == "Accepted"] == ["BaseModelDoesNotExist"]
    assert [item.digest for item in again.adapters["base"].adapters] == [_digest("a")]


def test_a_tenant_that_loses_the_base_model_loses_its_adapters() -> None:
    held = AgentStatus(version=1, ready=True, started=1.0, adapters=(_ready("support"),))
    first = decide(_observed(objects.two_tenants(objects.adapter()), held=held))
    without = collect((objects.base_model(tenants=["globex"]), objects.tenant(), objects.adapter()))
    seen = replace(_observed(without, held=held, gateways=(GatewayState(generation=1),)), statuses=first.statuses)
    again = decide(seen)
    assert _status(again, "support").status.active is None
    assert again.adapters["base"].adapters == ()


def _placed(*adapters: AnyObject, slots: int, held: AgentStatus | None = None) -> tuple[list[str], dict[str, str]]:
    base = objects.base_model(lora={"slots": 1, "cpuSlots": slots})
    assert isinstance(base, BaseModel)
    found = collect((base, objects.tenant("acme", maxAdapters=100), *adapters))
    placement = place(
        found,
        base,
        verdicts=accept(found, NOW),
        revisions={a.key: "r" for a in found.adapters},
        held=held,
        gateways=lambda *_: (GatewayState(generation=1),),
        credentials={},
    )
    names = [f"{item.adapter}:{(item.digest or '?')[:1]}" for item in placement.desired.adapters]
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
    assert "all 2 cpuSlots of base model base" in unplaced["new"]


def test_an_earlier_version_gives_way_to_a_candidate_and_the_oldest_first() -> None:
    first, second = _running("one", previous="bc"), _running("two", previous="d")
    reports = AgentStatus(version=1, ready=True, started=1.0, adapters=(_report("one"), _report("two")))
    names, unplaced = _placed(first, second, slots=5, held=reports)
    assert names == ["one:a", "two:a", "one:?", "two:?", "one:b", "two:d", "one:c"]
    names, unplaced = _placed(first, second, objects.adapter("new"), slots=4, held=reports)
    assert names == ["one:a", "two:a", "new:?", "one:?", "two:?", "one:b"]
    assert unplaced == {}


def test_a_pinned_adapter_is_the_last_to_leave() -> None:
    pinned = objects.adapter("zzz", residency={"pinned": True})
    names, unplaced = _placed(objects.adapter("aaa"), pinned, slots=1)
    assert names == ["zzz:?"]
    assert set(unplaced) == {"aaa"}


def test_an_adapter_whose_secret_is_missing_is_told_so_and_fetches_nothing() -> None:
    names, unplaced = _placed(objects.adapter("private", credentials="hub"), objects.adapter("open"), slots=4)
    assert names == ["open:?"]
    assert unplaced == {"private": "there is no Secret hub in namespace acme; create it"}


def _report(name: str) -> HeldAdapter:
    """Of the candidate, which turned out to be what runs already."""
    return HeldAdapter(tenant="acme", adapter=name, revision="r", state="Ready", digest=_digest("a"))
