"""Counts results of canaries and of the active versions beside them; the operator judges them."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.gateway import Arm, Comparison, Moments
from serving.gateway.catalog import Target


@dataclass(frozen=True)
class Result:
    """The result of one request to a version. `cited` is None for an answer without documents."""

    failed: bool
    cited: bool | None
    stopped: bool
    first_token_s: float | None
    tokens: int


class Comparisons:
    """A comparison begins with the first snapshot containing its canary, and ends with the first one without."""

    def __init__(self) -> None:
        self._comparisons: dict[str, Comparison] = {}

    @property
    def current(self) -> Mapping[str, Comparison]:
        return self._comparisons

    def follow(self, canaries: frozenset[str]) -> None:
        self._comparisons = {name: self._comparisons.get(name, Comparison()) for name in canaries}

    def add(self, target: Target, result: Result) -> None:
        before = self._comparisons.get(target.canary.comparison) if target.canary else None
        if before is None or target.canary is None:
            return
        side = "canary" if target.is_canary else "active"
        arm = getattr(before, side) + _arm(result)
        self._comparisons[target.canary.comparison] = before.model_copy(update={side: arm})


def _arm(result: Result) -> Arm:
    if result.failed:
        return Arm(requests=1, errors=1)
    return Arm(
        requests=1,
        grounded=int(result.cited is not None),
        uncited=int(result.cited is False),
        stopped=int(result.stopped),
        first_token=Moments().with_one(result.first_token_s) if result.first_token_s is not None else Moments(),
        length=Moments().with_one(result.tokens),
    )
