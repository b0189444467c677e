"""The order in which replicas are tried for a request (pure)."""

import hashlib
import math
from collections.abc import Mapping

# How much more than the average load a replica may have and still get requests for its own adapters.
BOUND = 1.25


def by_load(loads: Mapping[str, int]) -> list[str]:
    """The least busy first. `loads` are running requests by URL."""
    return sorted(loads, key=lambda url: loads[url])


def by_name(loads: Mapping[str, int], name: str) -> list[str]:
    """For a version that may have to be loaded: always in the same order, so that one replica has it in memory.

    Rendezvous hashing with bounded loads: a busy replica comes last. A change of the replicas moves only the versions
    of the one that came or went (Thaler and Ravishankar 1998; https://arxiv.org/abs/1608.01350).
    """
    limit = math.ceil(BOUND * (sum(loads.values()) + 1) / max(1, len(loads)))
    return sorted(loads, key=lambda url: (loads[url] >= limit, hashlib.sha256(f"{url}\0{name}".encode()).digest()))
