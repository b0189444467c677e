"""The order of replicas for an adapter: gateways ask them in it, and the operator keeps the adapter in memory by it.

Rendezvous hashing: a change of the replicas moves only the adapters of the one that came or went (Thaler and
Ravishankar 1998).
"""

import hashlib
from collections.abc import Iterable


def ranked(urls: Iterable[str], name: str) -> list[str]:
    """`urls` are of the replicas' engines, `name` is TENANT.ADAPTER: all versions of an adapter have the same order."""
    return sorted(urls, key=lambda url: hashlib.sha256(f"{url}\0{name}".encode()).digest())
