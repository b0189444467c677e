"""Converts tenant names to collection names and back. Pure. Two tenants never share a collection."""

import re

PREFIX = "tenant_"
_PLAIN = re.compile(r"[a-z0-9]")
_ESCAPED = re.compile(r"_([0-9a-f]{2})")


def collection_of(tenant: str) -> str:
    """Lower-case letters and digits stay; other bytes become `_xx`. At most 7 + 3 x 63 characters; 255 are allowed."""
    letters = (chr(byte) if _PLAIN.match(chr(byte)) else f"_{byte:02x}" for byte in tenant.encode())
    return PREFIX + "".join(letters)


def tenant_of(collection: str) -> str | None:
    """The tenant of a collection, or None for a foreign collection, however similar its name."""
    if not collection.startswith(PREFIX):
        return None
    spelled = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), collection.removeprefix(PREFIX))
    tenant = spelled.encode("latin-1", "replace").decode("utf-8", "replace")
    return tenant if tenant and collection_of(tenant) == collection else None
