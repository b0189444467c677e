"""The tenants with histograms of their own: a bounded number of those that were active last."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MAX_TIMED = 500
# Seconds without a request after which a tenant's place may go to another.
QUIET_S = 3600.0


@dataclass(frozen=True)
class Use:
    """`dropped` is the tenant whose place was taken, "" if none."""

    is_timed: bool
    dropped: str = ""


class TimedTenants:
    """`clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used: OrderedDict[str, float] = OrderedDict()  # when each was last active, the longest quiet first

    def use(self, tenant: str) -> Use:
        """Notes that the tenant is active, and gives it a place if there is one."""
        now = self._clock()
        if tenant in self._used:
            self._used[tenant] = now
            self._used.move_to_end(tenant)
            return Use(is_timed=True)
        dropped = ""
        if len(self._used) >= MAX_TIMED:
            dropped, last = next(iter(self._used.items()))
            if now - last < QUIET_S:
                return Use(is_timed=False)
            del self._used[dropped]
        self._used[tenant] = now
        return Use(is_timed=True, dropped=dropped)

    def drop(self, tenant: str) -> None:
        """Frees the place of a tenant that left."""
        self._used.pop(tenant, None)
