"""The status shows a canary's figures beside the active version's, and leaves them alone for a while."""

from contract.gateway import Arm, Comparison, Moments
from tests.operators.reconcile.test_release import CANARY, Alias

SEEN = Comparison(
    canary=Arm(
        requests=3, errors=1, grounded=2, uncited=1, first_token=Moments(count=2, total=0.5),
        length=Moments(count=2, total=9),
    ),
    active=Arm(requests=4),
)  # fmt: skip
MORE = SEEN.model_copy(update={"active": Arm(requests=9)})


def _trial() -> Alias:
    return Alias(canary=CANARY).see("a").see("b")


def test_the_figures_are_those_of_all_gateways() -> None:
    trial = _trial().see("b", comparison=SEEN, seconds=5).adapter.status.trial
    assert trial is not None
    assert (trial.digest, trial.needed) == ("b" * 64, 50)
    assert (trial.canary.requests, trial.canary.errors) == (3, 1)
    assert (trial.canary.grounded, trial.canary.uncited) == (2, 1)
    assert (trial.canary.first_token_ms, trial.canary.tokens) == (250, 4.5)
    assert (trial.active.requests, trial.active.first_token_ms, trial.active.tokens) == (4, None, None)


def test_they_are_written_every_five_seconds_and_only_if_they_changed() -> None:
    alias = _trial().see("b", comparison=SEEN, seconds=5)
    first = alias.adapter.status.trial
    assert alias.see("b", comparison=MORE, seconds=4).adapter.status.trial == first
    later = alias.see("b", comparison=MORE, seconds=1).adapter.status.trial
    assert later is not None
    assert later.active.requests == 9
    assert alias.see("b", comparison=MORE, seconds=5).adapter.status.trial == later


def test_they_go_with_the_canary() -> None:
    alias = _trial().see("b", comparison=SEEN, seconds=5)
    assert alias.see("a", seconds=5).adapter.status.trial is None
