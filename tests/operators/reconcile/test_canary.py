import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.adapter import CanaryChecks
from contract.gateway import Arm, Comparison, GatewayState, Moments
from operators.reconcile.canary import judge, together

CHECKS = CanaryChecks()


def _moments(rng: random.Random, count: int, mean: float) -> Moments:
    return sum((Moments().with_one(rng.gauss(mean, mean / 4)) for _ in range(count)), Moments())


def _arm(rng: random.Random, *, count: int = 200, errors: float = 0.01, uncited: float = 0.1, stopped: float = 0.95,
         seconds: float = 0.2, tokens: float = 20) -> Arm:  # fmt: skip
    def drawn(share: float) -> int:
        return sum(rng.random() < share for _ in range(count))

    failed = drawn(errors)
    return Arm(
        requests=count,
        errors=failed,
        grounded=count,
        uncited=drawn(uncited),
        stopped=min(count - failed, drawn(stopped)),
        first_token=_moments(rng, count, seconds),
        length=_moments(rng, count, tokens),
    )


@pytest.mark.parametrize(
    ("worse", "words"),
    [
        ({"errors": 0.2}, "errors"),
        ({"uncited": 0.6}, "answers without a source"),
        ({"stopped": 0.4}, "answers that end by themselves"),
        ({"seconds": 0.5}, "seconds to the first token"),
        ({"tokens": 100}, "tokens an answer"),
        ({"tokens": 4}, "tokens an answer"),
    ],
)
def test_a_canary_that_is_worse_in_one_way_is_told_by_it(worse: dict[str, Any], words: str) -> None:
    rng = random.Random(1)
    verdict = judge(CHECKS, Comparison(canary=_arm(rng, **worse), active=_arm(rng)))
    assert verdict.enough
    assert [fault.split(":")[0] for fault in verdict.faults] == [words]


def test_two_versions_that_are_alike_are_not_told_apart_in_a_thousand_looks() -> None:
    rng = random.Random(2)
    faults = [judge(CHECKS, Comparison(canary=_arm(rng), active=_arm(rng))).faults for _ in range(1000)]
    assert sum(map(bool, faults)) <= 5


def test_nothing_is_judged_before_both_have_answered_often_enough() -> None:
    rng = random.Random(3)
    few, many = _arm(rng, count=49, errors=1.0), _arm(rng, count=500)
    for comparison in (Comparison(canary=few, active=many), Comparison(canary=many, active=few), Comparison()):
        verdict = judge(CHECKS, comparison)
        assert (verdict.enough, verdict.faults) == (False, ())


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=30), st.integers(0, 30))
def test_what_two_gateways_saw_is_what_one_would_have_seen(values: list[float], cut: int) -> None:
    def moments(items: list[float]) -> Moments:
        return sum((Moments().with_one(item) for item in items), Moments())

    gateways = [
        GatewayState(generation=1, comparisons={"x": Comparison(canary=Arm(requests=len(part), length=moments(part)))})
        for part in (values[:cut], values[cut:])
    ]
    canary = together(gateways, "x").canary
    assert canary.requests == len(values)
    assert canary.length.mean == pytest.approx(sum(values) / len(values))
    assert together(gateways, "y") == Comparison()
