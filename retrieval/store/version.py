"""True if a Milvus has what the store needs, by its version. Pure."""

import re

# Of a server: sparse vectors, and several vector fields in a collection.
_LEAST_SERVER, _LEAST_LITE = (2, 4), (3, 0)
_NUMBERS = re.compile(r"(\d+)\.(\d+)")


def unsupported(version: str) -> str:
    """Why this version cannot be used; empty if it can, or has no number. Milvus Lite calls itself "milvus_lite-3.2.2",
    the server in the old package `milvus` "v2.3.5-lite"."""
    numbers = _NUMBERS.search(version)
    least = _LEAST_LITE if version.startswith("milvus_lite") else _LEAST_SERVER
    if numbers is None or (int(numbers[1]), int(numbers[2])) >= least:
        return ""
    return (
        f"version {version} is too old: use Milvus 2.4 or later, which has sparse vectors, or Milvus Lite 3.0 or later"
    )
