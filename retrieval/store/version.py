"""The abilities of a Milvus, by its version. Pure.

It is not tried: a request for an index that Milvus 2.3 does not have ends the whole server.
"""

import re

_LEAST_SERVER, _LEAST_LITE = (2, 3), (3, 0)
_LEAST_SERVER_WITH_SPARSE_VECTORS = (2, 4)
_NUMBERS = re.compile(r"(\d+)\.(\d+)")


def unsupported(version: str) -> str:
    """Why this version cannot be used; empty if it can, or has no number. Milvus Lite calls itself "milvus_lite-3.2.2",
    the server in the old package `milvus` "v2.3.5-lite"."""
    numbers = _numbers(version)
    least = _LEAST_LITE if version.startswith("milvus_lite") else _LEAST_SERVER
    if numbers is None or numbers >= least:
        return ""
    return f"version {version} is too old: use Milvus 2.4 or later (2.3 without search for words), or Milvus Lite 3.0"


def has_sparse_vectors(version: str) -> bool:
    """True if the server can search for words. Milvus 2.3 cannot."""
    numbers = _numbers(version)
    return numbers is None or numbers >= _LEAST_SERVER_WITH_SPARSE_VECTORS


def has_sound_partition_keys(version: str) -> bool:
    """False if an upsert puts rows into partitions where no filter by the key finds them, as Milvus 2.3 does
    (github.com/milvus-io/milvus/pull/30772)."""
    return has_sparse_vectors(version)


def _numbers(version: str) -> tuple[int, int] | None:
    match = _NUMBERS.search(version)
    return (int(match[1]), int(match[2])) if match else None
