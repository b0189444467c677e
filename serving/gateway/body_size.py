"""How many values a JSON text holds, counted without reading it (pure): what is read holds up everybody else.

A megabyte of text is one value and costs a millisecond; a megabyte of `[],` is 300,000 and costs half a second.
"""

# Some 2,000 messages of a conversation and 128 tools have half of it.
MAX_VALUES = 16_384


def values(raw: bytes) -> int:
    """At least as many as there are, up to twice MAX_VALUES: commas and brackets outside of texts."""
    if raw.count(b"[") + raw.count(b"{") + raw.count(b",") <= MAX_VALUES:
        return 0  # fewer even if all of them count
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    if plain.count(b'"') > 4 * MAX_VALUES:
        return 2 * MAX_VALUES
    outside = b"".join(plain.split(b'"')[::2])
    return outside.count(b"[") + outside.count(b"{") + outside.count(b",")
