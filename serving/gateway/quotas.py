"""Keeps every tenant's current usage. `admission` makes the decisions."""

from collections.abc import Callable

from serving.gateway import admission
from serving.gateway.admission import Refusal, Usage
from serving.gateway.catalog import TenantEntry
from serving.gateway.errors import Throttled


class Quotas:
    """`refused` is called with the tenant and the exceeded limit of every refused request."""

    def __init__(self, clock: Callable[[], float], refused: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._refused = refused
        self._usages: dict[str, Usage] = {}

    def admit(self, tenant: TenantEntry, *, counted: bool = True) -> dict[str, str]:
        """Counts a request as running until `settle` or `refund`, and one that is `counted` against the limit of a
        minute. Returns the rate-limit headers. Raises Throttled."""
        now = self._clock()
        usage = self._usages.get(tenant.name) or admission.fresh(tenant.limits, now)
        usage = admission.relimited(usage, tenant.limits, now)
        return self._granted(tenant.name, usage, admission.admit(usage, now=now, counted=counted), now)

    def reserve(self, tenant: str, tokens: int) -> dict[str, str]:
        """Reserves an admitted request's tokens. Returns the rate-limit headers. Raises Throttled."""
        now, usage = self._clock(), self._usages[tenant]
        return self._granted(tenant, usage, admission.reserve(usage, tokens=tokens, now=now), now)

    def _granted(self, tenant: str, usage: Usage, verdict: Usage | Refusal, now: float) -> dict[str, str]:
        if isinstance(verdict, Refusal):
            self._refused(tenant, verdict.limit)
            raise Throttled(
                f"The limit {verdict.limit} of your organization is reached; try again in {verdict.retry_after_s} s.",
                code="rate_limit_exceeded",
                param=verdict.limit,
                retry_after_s=verdict.retry_after_s,
                headers=admission.headers(usage, now),
            )
        self._usages[tenant] = verdict
        return admission.headers(verdict, now)

    def settle(self, tenant: str, *, reserved: int, used: int) -> None:
        usage = self._usages[tenant]
        self._usages[tenant] = admission.settle(usage, reserved=reserved, used=used, now=self._clock())

    def refund(self, tenant: str, *, reserved: int, counted: bool = True) -> None:
        usage = self._usages[tenant]
        self._usages[tenant] = admission.refund(usage, reserved=reserved, now=self._clock(), counted=counted)

    def headers(self, tenant: TenantEntry) -> dict[str, str]:
        """The rate-limit headers of a response that is not charged."""
        now = self._clock()
        return admission.headers(self._usages.get(tenant.name) or admission.fresh(tenant.limits, now), now)
