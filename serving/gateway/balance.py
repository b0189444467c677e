"""The order in which replicas are tried for a request (pure)."""

import math
from collections.abc import Mapping

from contract.rendezvous import ranked

# How much more than the average load a replica may have and still get requests for its own adapters.
BOUND = 1.25


def by_load(loads: Mapping[str, int]) -> list[str]:
    """The least busy first. `loads` are running requests by URL."""
    return sorted(loads, key=lambda url: loads[url])


def by_name(loads: Mapping[str, int], name: str, homes: int = 1) -> list[str]:
    """For an adapter that may have to be loaded: the replicas that keep it in memory first, of these `homes` the least
    busy one, then the others, always in the same order. A replica with too much to do comes last
    (https://arxiv.org/abs/1608.01350)."""
    limit = math.ceil(BOUND * (sum(loads.values()) + 1) / max(1, len(loads)))
    order = ranked(loads, name)
    at_home = sorted(order[:homes], key=lambda url: loads[url])
    return sorted([*at_home, *order[homes:]], key=lambda url: loads[url] >= limit)
