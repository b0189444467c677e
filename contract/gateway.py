"""A gateway's report to the operator."""

import math
from collections.abc import Collection, Mapping
from functools import cached_property

from pydantic import AwareDatetime

from contract.engine_name import EngineName
from contract.value import Value


class Moments(Value):
    """The count, sum and sum of squares of a series of measurements."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            count=self.count + other.count, total=self.total + other.total, squares=self.squares + other.squares
        )

    def with_one(self, value: float) -> "Moments":
        return self + Moments(count=1, total=value, squares=value * value)

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    @property
    def mean_error(self) -> float:
        """The standard error of the mean."""
        if self.count < 2:
            return math.inf
        variance = max(0.0, self.squares / self.count - self.mean**2)
        return math.sqrt(variance / (self.count - 1))


class Arm(Value):
    """The answers of one version during a comparison. Times are in seconds, lengths in tokens.

    `grounded` counts answers from documents; `uncited` counts those without a citation, in which the model declines.
    `stopped` counts answers with finish_reason "stop".
    """

    requests: int = 0
    errors: int = 0
    grounded: int = 0
    uncited: int = 0
    stopped: int = 0
    first_token: Moments = Moments()
    length: Moments = Moments()

    def __add__(self, other: "Arm") -> "Arm":
        return Arm(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            grounded=self.grounded + other.grounded,
            uncited=self.uncited + other.uncited,
            stopped=self.stopped + other.stopped,
            first_token=self.first_token + other.first_token,
            length=self.length + other.length,
        )


class Comparison(Value):
    """A canary and the active version, since this gateway began to send requests to both."""

    canary: Arm = Arm()
    active: Arm = Arm()


class KeyUses(Value):
    """When keys were last used at a gateway: by namespace, and by the key's SHA-256."""

    last: Mapping[str, Mapping[str, AwareDatetime]] = {}


class BaseUses(Value):
    """Seconds since the last request to each base model at a gateway; 0 while one waits or is answered."""

    idle_s: Mapping[str, float] = {}


BASE_MODELS = ""
"""No adapter's name: see GatewayState.versions."""


class GatewayState(Value):
    """`generation` is the number of the snapshot in use. `flips` has the flip generation of each routed adapter, by
    TENANT.ADAPTER. `routable` and `in_flight` (running requests) use engine names, `comparisons` the names of canaries
    there."""

    generation: int
    flips: Mapping[str, int] = {}
    routable: frozenset[str] = frozenset()
    in_flight: Mapping[str, int] = {}
    comparisons: Mapping[str, Comparison] = {}

    @cached_property
    def versions(self) -> Mapping[str, frozenset[str]]:
        """The routable versions, by TENANT.ADAPTER; the names of base models under BASE_MODELS."""
        grouped: dict[str, set[str]] = {}
        for name in self.routable:
            version = EngineName.parse(name)
            adapter = f"{version.tenant}.{version.adapter}" if version else BASE_MODELS
            grouped.setdefault(adapter, set()).add(name)
        return {name: frozenset(versions) for name, versions in grouped.items()}

    def about(self, adapters: Collection[str]) -> "GatewayState":
        """With the flips and the routable versions of these adapters alone, and with all base models: they answer for
        adapters that are a prompt."""
        names = (BASE_MODELS, *adapters)
        routable = frozenset(version for name in names for version in self.versions.get(name, ()))
        flips = {name: self.flips[name] for name in adapters if name in self.flips}
        return self.model_copy(update={"flips": flips, "routable": routable})

    def updated(self, newer: "GatewayState", adapters: Collection[str]) -> "GatewayState":
        """With what `newer` says, which is about these adapters alone."""
        names = (BASE_MODELS, *adapters)
        before = {version for name in names for version in self.versions.get(name, ())}
        flips = {**self.flips, **newer.flips}
        for name in adapters:
            if name not in newer.flips:
                flips.pop(name, None)
        state = newer.model_copy(update={"flips": flips, "routable": (self.routable - before) | newer.routable})
        grouped = {**self.versions, **{name: newer.versions.get(name, frozenset()) for name in names}}
        state.__dict__["versions"] = grouped  # made from both, in place of from ten thousand names
        return state

    def has_taken_up(self, tenant: str, adapter: str, flip: int) -> bool:
        return self.flips.get(f"{tenant}.{adapter}", 0) >= flip

    def released(self, engine_name: str) -> bool:
        """True if this gateway sends the version no requests, now or later."""
        return engine_name not in self.routable and self.in_flight.get(engine_name, 0) == 0
