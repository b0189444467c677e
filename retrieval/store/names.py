"""Converts tenants and the size of their vectors to names of collections, and back. Pure. Two tenants never share a
collection, and a collection has vectors of one size."""

import re
from typing import NamedTuple

PREFIX = "tenant_"
# The size of vectors whose collections have no number behind the tenant: in earlier releases there was no other.
UNNUMBERED = 384
_PLAIN = re.compile(r"[a-z0-9]")
_ESCAPED = re.compile(r"_([0-9a-f]{2})")
_NUMBER = re.compile(r"_D([1-9][0-9]{0,3})$")  # no upper-case letter stands in the name of a tenant


class Owner(NamedTuple):
    tenant: str
    dimension: int


def collection_of(tenant: str, dimension: int) -> str:
    """Lower-case letters and digits stay; other bytes become `_xx`. At most 7 + 3 x 63 + 6 characters; 255 are
    allowed."""
    letters = (chr(byte) if _PLAIN.match(chr(byte)) else f"_{byte:02x}" for byte in tenant.encode())
    number = "" if dimension == UNNUMBERED else f"_D{dimension}"
    return PREFIX + "".join(letters) + number


def owner_of(collection: str) -> Owner | None:
    """None for a foreign collection, however similar its name."""
    if not collection.startswith(PREFIX):
        return None
    number = _NUMBER.search(collection)
    dimension = int(number[1]) if number else UNNUMBERED
    spelled = _NUMBER.sub("", collection).removeprefix(PREFIX)
    name = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), spelled)
    tenant = name.encode("latin-1", "replace").decode("utf-8", "replace")
    return Owner(tenant, dimension) if tenant and collection_of(tenant, dimension) == collection else None
