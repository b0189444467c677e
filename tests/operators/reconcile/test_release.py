from typing import Any, Literal

import pytest

from contract import conditions as c
from contract.adapter import NO_CONTENT, Adapter, Decision
from contract.adapter import comparison as named
from contract.agent import AdapterReport, AgentStatus, Fingerprint
from contract.conditions import condition
from contract.engine_name import engine_name
from contract.gateway import Arm, Comparison, GatewayState
from contract.prompt import Prompt
from operators.reconcile.adapter import next_status
from operators.reconcile.release import Observed
from tests.operators import objects

State = Literal["Ready", "Loading", "Failed"]
CANARY = {"steps": [{"weight": 10, "seconds": 30}, {"weight": 50, "seconds": 30}]}
ACCEPTED = condition(c.ACCEPTED, True, c.VALID)


def _name(letter: str) -> str:
    return engine_name("acme", "support", letter * 64)


def _held(letter: str, revision: str, state: State = "Ready", reason: str = "") -> AdapterReport:
    return AdapterReport(reason=reason,
        tenant="acme", adapter="support", revision=revision, state=state, digest=letter * 64, engine_name=_name(letter),
        fingerprint=Fingerprint(engine="1", prompts=((("x", -1.0),),)),
    )  # fmt: skip


class Alias:
    """One adapter whose source is edited; everything that is held answers."""

    def __init__(self, **rollout: Any) -> None:
        adapter = objects.adapter(rollout=rollout)
        assert isinstance(adapter, Adapter)
        self.adapter = adapter
        self.seconds = 0
        self.letters = ""
        self.routable: set[str] = set()

    def see(self, letter: str, *, comparison: Comparison | None = None, seconds: int = 0, gone: str = "",
            decision: Decision | None = None, state: State = "Ready", failure: str = "") -> "Alias":  # fmt: skip
        self.seconds += seconds
        self.letters += letter
        others = [_held(x, f"sha256:{x * 64}") for x in set(self.letters) - set(gone)]
        replica = AgentStatus(
            version=1, ready=True, started=1.0, adapters=(_held(letter, f"r{letter}", state, failure), *others)
        )
        canary = self.adapter.status.canary
        if decision and decision.against is None and self.adapter.status.active:
            decision = decision.model_copy(update={"against": self.adapter.status.active.digest})
        comparisons = {named("acme", "support", canary.digest): comparison} if canary and comparison else {}
        seen = Observed(
            tenant="acme", revision=f"r{letter}", verdict=ACCEPTED, replicas=(replica,), decision=decision,
            gateways=(GatewayState(generation=1, comparisons=comparisons, routable=frozenset(self.routable)),),
            now=f"2026-01-01T00:{self.seconds // 60:02}:{self.seconds % 60:02}Z",
        )  # fmt: skip
        self.adapter = self.adapter.model_copy(update={"status": next_status(self.adapter, seen)})
        canary = self.adapter.status.canary
        self.routable = {_name(self.active)} | ({canary.engine_name} if canary else set())
        return self

    def say(self, system: str) -> "Alias":
        """Edits the prompt."""
        spec = self.adapter.spec.model_copy(update={"prompt": Prompt(system=system)})
        self.adapter = self.adapter.model_copy(update={"spec": spec})
        return self

    @property
    def prompt(self) -> str:
        active = self.adapter.status.active
        return active.prompt.system if active and active.prompt else ""

    @property
    def active(self) -> str:
        return self.adapter.status.active.content_digest[0] if self.adapter.status.active else ""

    @property
    def previous(self) -> str:
        return "".join(version.content_digest[0] for version in self.adapter.status.previous)

    @property
    def events(self) -> list[str]:
        return [entry.event for entry in self.adapter.status.history]

    def reason(self, kind: str) -> str:
        found = c.find(self.adapter.status.conditions, kind)
        return found.reason if found else ""


GOOD = Comparison(canary=Arm(requests=100, stopped=100), active=Arm(requests=100, stopped=100))
BAD = Comparison(canary=Arm(requests=100, errors=60), active=Arm(requests=100, stopped=100))


def test_a_version_takes_over_once_it_answers_everywhere_and_the_last_one_is_kept() -> None:
    alias = Alias().see("a").see("b", state="Loading")
    assert (alias.active, alias.reason(c.RELEASED)) == ("a", c.WAITING)
    alias.see("b").see("c")
    assert (alias.active, alias.previous, alias.events) == ("c", "b", ["Released"] * 3)
    assert alias.adapter.status.active
    assert alias.adapter.status.active.generation == 3
    assert alias.adapter.status.active.fingerprint
    assert Alias(keepPrevious=0).see("a").see("b").previous == ""


def test_a_canary_goes_step_by_step_once_time_and_requests_are_enough() -> None:
    alias = Alias(canary=CANARY).see("a").see("b")
    weights = []
    for seconds, seen in ((5, GOOD), (40, None), (0, GOOD), (5, GOOD), (30, GOOD)):
        alias.see("b", seconds=seconds, comparison=seen)
        weights.append(alias.adapter.status.canary.weight if alias.adapter.status.canary else None)
    assert weights == [10, 10, 50, 50, None]
    assert (alias.active, alias.previous, alias.events) == ("b", "a", ["Released", "CanaryStarted", "Released"])


def test_a_canary_that_is_worse_goes_back_with_the_evidence_and_is_not_tried_again_until_the_source_changes() -> None:
    alias = Alias(canary=CANARY).see("a").see("b").see("b", comparison=BAD).see("b", seconds=500, comparison=GOOD)
    assert (alias.active, alias.adapter.status.canary) == ("a", None)
    assert alias.reason(c.RELEASED) == c.CANARY_FAILED
    assert "errors: 60.0% against 0.0%" in alias.adapter.status.history[0].message
    alias.see("c")
    assert alias.adapter.status.canary
    assert alias.adapter.status.canary.digest[0] == "c"


def test_a_version_that_was_taken_back_is_released_when_the_rollout_is_another() -> None:
    alias = Alias(canary=CANARY).see("a").see("b").see("b", comparison=BAD).see("b")
    assert alias.active == "a"
    plain = objects.adapter()
    assert isinstance(plain, Adapter)
    alias.adapter = plain.model_copy(update={"status": alias.adapter.status})
    assert alias.see("b").active == "b"


def test_a_rollback_returns_to_the_version_before_and_stays_there() -> None:
    alias = Alias().see("a").see("b")
    back = Decision(id="1", action="Rollback")
    alias.see("b", decision=back).see("b", decision=back).see("b")
    assert (alias.active, alias.previous, alias.reason(c.RELEASED)) == ("a", "b", c.ROLLED_BACK)
    assert alias.events.count("RolledBack") == 1
    alias.see("b", decision=Decision(id="2", action="Promote"))
    assert (alias.active, alias.previous, alias.reason(c.RELEASED)) == ("b", "a", c.WAITING)
    assert alias.see("b").reason(c.RELEASED) == c.ROUTED


def test_fewer_versions_are_kept_as_soon_as_fewer_are_wanted() -> None:
    alias = Alias(keepPrevious=2).see("a").see("b").see("c")
    assert alias.previous == "ba"
    fewer = objects.adapter(rollout={"keepPrevious": 1})
    assert isinstance(fewer, Adapter)
    alias.adapter = fewer.model_copy(update={"status": alias.adapter.status})
    assert alias.see("c").previous == "b"


def test_a_rollback_waits_for_a_version_that_does_not_answer_yet() -> None:
    alias = Alias().see("a").see("b")
    back = Decision(id="1", action="Rollback")
    assert alias.see("b", decision=back, gone="a").active == "b"
    assert alias.see("b", decision=back).active == "a"


@pytest.mark.parametrize("action", ["Rollback", "Promote"])
def test_a_decision_that_cannot_be_carried_out_says_so_once(action: Literal["Rollback", "Promote"]) -> None:
    decision = Decision(id="1", action=action)
    alias = Alias().see("a").see("a", decision=decision).see("a", decision=decision)
    assert alias.events == ["DecisionRefused", "Released"]
    assert alias.active == "a"


def test_a_canary_can_be_promoted_and_taken_back_by_hand() -> None:
    promoted = Alias(canary=CANARY).see("a").see("b").see("b", decision=Decision(id="1", action="Promote"))
    assert (promoted.active, promoted.previous) == ("b", "a")
    back = Alias(canary=CANARY).see("a").see("b").see("b", decision=Decision(id="1", action="Rollback"))
    assert (back.active, back.adapter.status.canary, back.reason(c.RELEASED)) == ("a", None, c.ROLLED_BACK)


def test_a_canary_that_takes_over_is_acknowledged_only_once_no_gateway_sends_elsewhere() -> None:
    """In the snapshot before, gateways route to it too, and to the old version as well."""
    alias = Alias(canary=CANARY).see("a").see("b").see("b", decision=Decision(id="1", action="Promote"))
    assert alias.adapter.status.active
    assert (alias.active, alias.adapter.status.acknowledged < alias.adapter.status.active.generation) == ("b", True)
    assert alias.see("b").adapter.status.routed


def test_a_canary_that_no_replica_answers_with_does_not_take_over() -> None:
    alias = Alias(canary=CANARY).see("a").see("b").see("b", seconds=40, comparison=GOOD)
    alias.see("b", seconds=40, comparison=GOOD, state="Loading", gone="b")
    assert alias.active == "a"
    promoted = alias.see("b", state="Loading", gone="b", decision=Decision(id="1", action="Promote"))
    assert promoted.active == "a"


def test_a_rollback_made_twice_does_not_undo_itself() -> None:
    alias = Alias().see("a").see("b").see("b", decision=Decision(id="1", action="Rollback"))
    assert alias.see("b", decision=Decision(id="2", action="Rollback")).active == "a"
    assert alias.events[0] == "DecisionRefused"
    named = alias.see("b", decision=Decision(id="3", action="Rollback", digest="b" * 12))
    assert named.active == "b"


def test_a_decision_that_was_made_against_another_version_is_refused() -> None:
    alias = Alias().see("a").see("b").see("c")
    late = Decision(id="1", action="Rollback", against="b" * 64)
    assert alias.see("c", decision=late).active == "c"
    assert alias.events[0] == "DecisionRefused"


def test_a_canary_on_another_base_model_is_no_canary_but_a_move() -> None:
    alias = Alias(canary=CANARY).see("a")
    moved = objects.adapter(baseModel="other", rollout={"canary": CANARY})
    assert isinstance(moved, Adapter)
    alias.adapter = moved.model_copy(update={"status": alias.adapter.status})
    assert alias.see("b").active == "b"


def test_a_rollback_can_name_its_version() -> None:
    alias = Alias(keepPrevious=2).see("a").see("b").see("c")
    assert alias.see("c", decision=Decision(id="1", action="Rollback", digest="a" * 12)).active == "a"


def test_the_same_content_on_another_base_model_is_a_version_of_its_own() -> None:
    alias = Alias().see("a")
    moved = objects.adapter(baseModel="other")
    assert isinstance(moved, Adapter)
    alias.adapter = moved.model_copy(update={"status": alias.adapter.status})
    alias.see("a")
    assert alias.adapter.status.active
    assert (alias.adapter.status.active.base_model, alias.adapter.status.active.generation) == ("other", 2)


def test_a_source_that_returns_to_what_runs_ends_the_canary() -> None:
    alias = Alias(canary=CANARY).see("a").see("b").see("b")
    assert alias.adapter.status.routed
    alias.see("a")
    assert (alias.active, alias.adapter.status.canary) == ("a", None)
    assert not alias.adapter.status.routed  # gateways have sent to the canary up to now
    assert alias.see("a").adapter.status.routed


def test_a_lost_right_ends_everything_that_is_served() -> None:
    alias = Alias().see("a").see("b")
    seen = Observed(
        tenant="acme", revision="rb", verdict=condition(c.ACCEPTED, False, c.BASE_MODEL_FORBIDDEN), replicas=(),
        gateways=(), now="2026-01-01T00:00:00Z",
    )  # fmt: skip
    status = next_status(alias.adapter, seen)
    assert (status.active, status.canary, status.previous) == (None, None, ())


def test_a_flip_is_acknowledged_once_every_gateway_routes_by_it_and_stays_so() -> None:
    alias = Alias().see("a")
    assert alias.adapter.status.acknowledged == 0
    assert alias.see("a").adapter.status.acknowledged == 1
    assert alias.reason(c.RELEASED) == c.ROUTED
    alias.see("b")
    assert (alias.adapter.status.acknowledged, alias.reason(c.RELEASED)) == (1, c.WAITING)
    alias.routable = {_name("a")}
    assert alias.see("b").adapter.status.acknowledged == 1
    assert alias.see("b").adapter.status.acknowledged == 2


def test_a_history_is_bounded() -> None:
    alias = Alias()
    for letter in "abcdef" * 5:
        alias.see(letter)
    assert len(alias.events) == 20


def test_what_harmed_an_engine_is_rejected_until_the_source_changes_and_the_alias_stays() -> None:
    alias = Alias().see("a").see("b", state="Failed", failure=c.SPOILS_ENGINE)
    assert (alias.active, alias.events) == ("a", ["Refused", "Released"])
    assert (alias.reason(c.FETCHED), alias.reason(c.RELEASED)) == (c.SPOILS_ENGINE, c.SPOILS_ENGINE)
    assert alias.adapter.harms("rb")
    assert not alias.adapter.harms("rc")
    assert alias.see("b", state="Failed", failure=c.SPOILS_ENGINE).events == ["Refused", "Released"]
    assert alias.see("c").active == "c"
    assert alias.reason(c.RELEASED) == c.WAITING


def test_a_clock_that_is_set_back_does_not_make_a_canary_step_longer() -> None:
    alias = Alias(canary=CANARY).see("a", seconds=3000).see("b")
    alias.see("b", seconds=-2900, comparison=GOOD).see("b", seconds=31, comparison=GOOD)
    assert alias.adapter.status.canary
    assert alias.adapter.status.canary.weight == 50


# Prompts ---------------------------------------------------------------------------------------------------------


def test_a_changed_prompt_is_a_version_of_its_own_and_rolls_back() -> None:
    alias = Alias().see("a").say("Be kind.").see("a")
    assert (alias.active, alias.prompt, alias.previous, alias.events) == ("a", "Be kind.", "a", ["Released"] * 2)
    alias.see("a", decision=Decision(id="1", action="Rollback")).see("a")
    assert (alias.active, alias.prompt, alias.reason(c.RELEASED)) == ("a", "", c.ROLLED_BACK)
    assert alias.adapter.status.active
    assert alias.adapter.status.active.generation == 3


def test_a_prompt_that_is_worse_goes_back_and_another_one_is_tried() -> None:
    alias = Alias(canary=CANARY).see("a").say("Be rude.").see("a").see("a", comparison=BAD).see("a", seconds=500)
    assert (alias.prompt, alias.reason(c.RELEASED)) == ("", c.CANARY_FAILED)
    alias.say("Be kind.").see("a")
    assert alias.adapter.status.canary
    assert alias.adapter.status.canary.prompt == Prompt(system="Be kind.")


def test_prompt_and_content_take_over_together() -> None:
    alias = Alias(canary=CANARY).see("a").say("Be kind.").see("b")
    assert (alias.active, alias.prompt) == ("a", "")
    for seconds in (31, 31):
        alias.see("b", seconds=seconds, comparison=GOOD)
    assert (alias.active, alias.prompt, alias.previous) == ("b", "Be kind.", "a")


def test_a_prompt_without_content_is_answered_by_the_base_model() -> None:
    alias = Alias().say("Be kind.")
    bare = alias.adapter.spec.model_copy(update={"source": None, "digest": None})
    alias.adapter = alias.adapter.model_copy(update={"spec": bare})
    alias.see("a")
    active, status = alias.adapter.status.active, alias.adapter.status
    assert active
    assert (active.engine_name, active.content, alias.prompt) == (bare.base_model, NO_CONTENT, "Be kind.")
    assert (status.replicas_ready, alias.reason(c.FETCHED), alias.reason(c.READY)) == (1, c.VERIFIED, c.ANSWERING)
