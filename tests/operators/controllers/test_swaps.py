"""The rule that no request may lose its version: checked against every order of events that Hypothesis finds."""

from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contract.adapter import Decision
from contract.agent import AdapterReport, AgentStatus
from contract.engine_name import engine_name
from contract.gateway import Arm, Comparison, GatewayState
from contract.objects import AnyObject, Objects
from contract.snapshot import Snapshot
from operators.controllers.adapter import FIRST_STATUS_S
from serving.gateway.catalog import build_catalog
from tests.operators import objects
from tests.operators.controllers.loop import BEGIN as NOW
from tests.operators.controllers.loop import GATEWAY, Loop

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
        self.loop = Loop()
        self.agent = AgentStatus(version=0, ready=False, started=1.0)
        self.routes = Snapshot()
        self.in_flight: list[str] = []
        self.decision: Decision | None = None
        self.canary = False
        self.neighbours = 0
        self.good = True
        self.write_files()

    @rule()
    def canary_on_or_off(self) -> None:
        self.canary = not self.canary

    @rule()
    def canary_answers_otherwise(self) -> None:
        self.good = not self.good

    @rule(action=st.sampled_from(["Promote", "Rollback"]), number=st.integers(0, 10**9))
    def decide_by_hand(self, action: Literal["Promote", "Rollback"], number: int) -> None:
        adapters = self.loop.objects.adapters
        active = adapters[0].status.active if adapters else None
        self.decision = Decision(id=str(number), action=action, against=active.digest if active else None)

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.loop.time_passes(seconds)

    @rule(version=VERSIONS)
    def edit(self, version: str) -> None:
        self.source, self.edits = version, self.edits + 1

    @rule()
    def remove_or_restore(self) -> None:
        self.exists = not self.exists

    @rule(neighbours=st.integers(0, 3))
    def neighbours_come_and_go(self, neighbours: int) -> None:
        self.neighbours = neighbours

    @rule()
    def write_files(self) -> None:
        self.loop.files_say(self._objects().all, f"{self.edits}:{self.source}", self.decision)

    @rule()
    def operator_hears_agent(self) -> None:
        self.loop.agent_says(self.agent)

    @rule(number=st.integers(0, 10))
    def operator_looks_at_one(self, number: int) -> None:
        pending = list(self.loop.pending)
        if pending:
            self.loop.look_at(pending[number % len(pending)])

    @rule()
    def operator_publishes(self) -> None:
        self.loop.publish()

    @rule()
    def operator_decides(self) -> None:
        """All at once, as it is where nothing else happens meanwhile."""
        self.write_files()
        self.operator_hears_agent()
        self.loop.settle()
        self.nothing_changed_unnoticed()

    def nothing_changed_unnoticed(self) -> None:
        """What gateways have let go of stays gone, also while they are on their way to a newer snapshot."""
        pushed, anew = set(self.loop.pushed.desired.adapters), set(self.loop.desired_anew().adapters)
        assert pushed <= anew
        assert all(item.source is None for item in anew - pushed)

    @rule()
    def everybody_takes_a_turn(self) -> None:
        self.operator_decides()
        self.agent_converges()
        self.operator_decides()

    @rule()
    def agent_converges(self) -> None:
        held = tuple(
            self._held(item.tenant, item.adapter, item.revision, item.digest)
            for item in self.loop.pushed.desired.adapters
        )
        self.agent = AgentStatus(version=self.agent.version + 1, ready=True, started=1.0, adapters=held)

    @rule()
    def gateway_reads(self) -> None:
        self.routes = self.loop.snapshot

    @rule(part=st.booleans())
    def operator_asks_gateway(self, part: bool) -> None:
        """About all adapters, or about those that somebody waits for."""
        catalog = build_catalog(self.routes, NOW)
        state = GatewayState(
            generation=catalog.generation,
            flips=catalog.flips,
            routable=catalog.routable,
            in_flight={name: self.in_flight.count(name) for name in self.in_flight},
            comparisons={name: self._comparison() for name in catalog.canaries},
        )
        before, names = self.loop.cache.gateway_states.get(GATEWAY.uid), self.loop.cache.awaited_adapters()
        self.loop.gateway_says(before.updated(state.about(names), names) if part and before and names else state)

    @rule(request_id=st.sampled_from(["00000000", "ffffffff"]))
    def caller_comes(self, request_id: str) -> None:
        target = build_catalog(self.routes, NOW).tenants.get("acme")
        adapter = target.targets.get("support") if target else None
        if adapter and adapter.engine_name:
            self.in_flight.append(adapter.with_canary(request_id).engine_name or "")

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
        self.neighbours = 0
        for _ in range(10):
            self.time_passes(100)
            self.operator_decides()
            self.agent_converges()
            self.gateway_reads()
            self.operator_asks_gateway(part=True)
        held, routable = self.agent.answering, build_catalog(self.routes, NOW).routable - {"base"}
        if not self.exists:
            assert not held | routable
            return
        status = self.loop.objects.adapters[0].status
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
        neighbours = [objects.adapter(f"neighbour-{number}", "globex") for number in range(self.neighbours)]
        mine = [objects.adapter(rollout=rollout)] if self.exists else []
        return objects.two_tenants(*mine, *neighbours)

    def _held(self, tenant: str, adapter: str, revision: str, digest: str | None) -> AdapterReport:
        content = digest or _digest(revision.partition(":")[2])
        name = engine_name(tenant, adapter, content)
        return AdapterReport(
            tenant=tenant, adapter=adapter, revision=revision, state="Ready", digest=content, engine_name=name
        )


TestSwaps = Swaps.TestCase
TestSwaps.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


def _failed(name: str) -> AdapterReport:
    return AdapterReport(
        tenant="acme", adapter=name, revision="r1", state="Failed", reason="RankTooHigh", message="rank 64 is above 16"
    )


def _ready(name: str) -> AdapterReport:
    return AdapterReport(
        tenant="acme",
        adapter=name,
        revision="r1",
        state="Ready",
        digest=_digest("a"),
        engine_name=engine_name("acme", name, _digest("a")),
    )


def _report(*adapters: AdapterReport) -> AgentStatus:
    return AgentStatus(version=1, ready=True, started=1.0, adapters=adapters)


def _loop(*items: AnyObject, report: AgentStatus) -> Loop:
    loop = Loop()
    loop.files_say(items)
    loop.agent_says(report)
    return loop.settle()


def test_a_bad_adapter_says_its_fact_and_a_good_one_is_served() -> None:
    found = objects.two_tenants(objects.adapter("bad"), objects.adapter("good"))
    loop = _loop(*found.all, report=_report(_failed("bad"), _ready("good")))
    bad, good = loop.adapter("bad"), loop.adapter("good")
    assert good.status.active is not None
    assert bad.status.active is None
    assert [c.message for c in bad.status.conditions if c.type == "Fetched"] == ["rank 64 is above 16"]


def test_a_new_adapter_that_is_on_its_way_gets_its_first_status_a_moment_later() -> None:
    """Most are Ready by then, and cost one write less."""
    loop = _loop(*objects.two_tenants(objects.adapter()).all, report=_report())
    assert not loop.adapter("support").status.conditions
    loop.time_passes(FIRST_STATUS_S)
    assert {c.type for c in loop.settle().adapter("support").status.conditions} >= {"Accepted", "Ready"}


def test_a_new_adapter_that_is_refused_gets_its_status_at_once() -> None:
    loop = _loop(*objects.two_tenants(objects.adapter(baseModel="missing")).all, report=_report())
    assert [c.reason for c in loop.adapter("support").status.conditions if c.type == "Accepted"] == [
        "BaseModelDoesNotExist"
    ]


def test_an_edit_that_is_refused_leaves_the_version_that_answers() -> None:
    loop = _loop(*objects.two_tenants(objects.adapter()).all, report=_report(_ready("support")))
    before = loop.adapter("support").status.active
    loop.files_say(objects.two_tenants(objects.adapter(baseModel="missing")).all)
    loop.settle()
    kept = loop.adapter("support").status
    assert before is not None
    assert kept.active == before
    assert [c.reason for c in kept.conditions if c.type == "Accepted"] == ["BaseModelDoesNotExist"]
    assert [item.digest for item in loop.pushed.desired.adapters] == [_digest("a")]


def test_a_tenant_that_loses_the_base_model_loses_its_adapters() -> None:
    loop = _loop(*objects.two_tenants(objects.adapter()).all, report=_report(_ready("support")))
    loop.files_say((objects.base_model(tenants=["globex"]), objects.tenant(), objects.adapter()))
    loop.settle()
    loop.gateway_says(GatewayState(generation=loop.snapshot.generation))
    loop.settle()
    assert loop.adapter("support").status.active is None
    assert loop.pushed.desired.adapters == ()


def test_a_service_that_is_down_is_said_on_what_depends_on_it() -> None:
    loop = _loop(
        *objects.two_tenants(objects.adapter(), objects.knowledge_base()).all, report=_report(_ready("support"))
    )
    loop.events.services_changed(["gateway", "milvus"])
    loop.settle()
    ready = [c for item in loop.objects.all for c in item.status.conditions if c.type == "Ready" and not c.holds]
    assert {c.reason for c in ready} == {"GatewayDown", "IngestFailed"}


def _of(letter: str, revision: str) -> AdapterReport:
    digest = _digest(letter)
    return _ready("support").model_copy(
        update={"revision": revision, "digest": digest, "engine_name": engine_name("acme", "support", digest)}
    )


def test_what_a_gateway_said_before_the_last_snapshot_lets_no_version_go() -> None:
    """The gateway's last word is older than the flip to b: it may route to b by now, although it never said so."""
    first, second = _of("a", "r1"), _of("b", "r2")
    loop = _loop(*objects.two_tenants(objects.adapter()).all, report=_report(first))
    name = first.engine_name or ""
    loop.gateway_says(
        GatewayState(generation=loop.snapshot.generation, flips={"acme.support": 1}, routable=frozenset({name}))
    )
    loop.files_say(objects.two_tenants(objects.adapter()).all, "r2")
    loop.agent_says(_report(first, second))
    loop.settle()
    active = loop.adapter("support").status.active
    assert active
    assert active.digest == second.digest
    loop.files_say(objects.two_tenants().all)
    loop.settle()
    assert [item.digest for item in loop.pushed.desired.adapters if item.digest == second.digest]
    loop.gateway_says(GatewayState(generation=loop.snapshot.generation))
    loop.settle()
    assert not loop.pushed.desired.adapters
