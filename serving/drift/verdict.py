"""The verdict on one signal of one tenant. It holds until the next test."""

from dataclasses import dataclass
from enum import StrEnum

from serving.drift.signal import Outcome

QUIET = 3


class State(StrEnum):
    """`insufficient_evidence` is a separate state: with too few samples for a test, neither `ok` nor `drift` holds."""

    OK = "ok"
    DRIFT = "drift"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"


@dataclass(frozen=True)
class Test:
    """One completed test: `at` in Unix seconds, and its level `alpha`."""

    at: float
    statistic: float
    p_value: float
    alpha: float


@dataclass(frozen=True)
class Verdict:
    """`state` has held since `since` (Unix seconds); `test` is the last test, None before the first. `quiet` counts
    tests without drift since the alarm."""

    state: State
    since: float
    test: Test | None
    quiet: int = 0


def unknown(now: float) -> Verdict:
    """The verdict on an untested signal."""
    return Verdict(state=State.INSUFFICIENT_EVIDENCE, since=now, test=None)


def judged(previous: Verdict, outcome: Outcome, *, alpha: float, now: float) -> Verdict:
    """The verdict after a test: drift at p <= alpha, else ok. One alarm stands for one episode, which ends after QUIET
    tests without drift."""
    drifts = outcome.p_value <= alpha
    quiet = 0 if drifts or previous.state is not State.DRIFT else previous.quiet + 1
    state = State.DRIFT if drifts or 0 < quiet < QUIET else State.OK
    since = previous.since if state == previous.state else now
    test = Test(at=now, statistic=outcome.statistic, p_value=outcome.p_value, alpha=alpha)
    return Verdict(state=state, since=since, test=test, quiet=quiet)
