"""Names of collections, and their contents. Pure. A collection has vectors of one size, and is of one tenant or of all
of them; two tenants never have the same one of their own."""

import re
from enum import StrEnum
from typing import NamedTuple


class Tenancy(StrEnum):
    DEDICATED = "Dedicated"
    """A collection for each tenant: the strongest isolation, for some thousands of tenants at most."""
    SHARED = "Shared"
    """One collection for all tenants, with the tenant as its partition key."""


PREFIX = "tenant_"
SHARED = "shared_tenants"
# The size of vectors whose collections have no number behind the tenant: in earlier releases there was no other.
UNNUMBERED = 384
_PLAIN = re.compile(r"[a-z0-9]")
_ESCAPED = re.compile(r"_([0-9a-f]{2})")
_NUMBER = re.compile(r"_D([1-9][0-9]{0,3})$")  # no upper-case letter stands in the name of a tenant


class Owner(NamedTuple):
    tenant: str
    """Empty for a collection of all tenants."""
    dimension: int


def collection_of(tenant: str, dimension: int) -> str:
    """The tenant's own. Lower-case letters and digits stay; other bytes become `_xx`. At most 7 + 3 x 63 + 6
    characters; 255 are allowed."""
    letters = (chr(byte) if _PLAIN.match(chr(byte)) else f"_{byte:02x}" for byte in tenant.encode())
    return PREFIX + "".join(letters) + _number(dimension)


def shared_collection(dimension: int) -> str:
    return SHARED + _number(dimension)


def owner_of(collection: str) -> Owner | None:
    """None for a foreign collection, however similar its name."""
    number = _NUMBER.search(collection)
    dimension = int(number[1]) if number else UNNUMBERED
    if collection == shared_collection(dimension):
        return Owner("", dimension)
    if not collection.startswith(PREFIX):
        return None
    spelled = _NUMBER.sub("", collection).removeprefix(PREFIX)
    name = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), spelled)
    tenant = name.encode("latin-1", "replace").decode("utf-8", "replace")
    return Owner(tenant, dimension) if tenant and collection_of(tenant, dimension) == collection else None


def _number(dimension: int) -> str:
    return "" if dimension == UNNUMBERED else f"_D{dimension}"
