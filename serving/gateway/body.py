"""Bodies → requests. Large bodies are parsed in a thread, so that the event loop serves other requests meanwhile.

A megabyte of text is one value and costs a millisecond; a megabyte of `[],` is 300,000 values and costs half a second,
so values are counted before parsing.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from serving.gateway.errors import InvalidRequest

# About 2,000 messages and 128 tools together have half as many values.
MAX_VALUES = 16_384
# A thread costs 0.1 ms; parsing this many bytes takes less than 1 ms.
IN_PLACE_BYTES = 8192

Request = TypeVar("Request")


async def parsed(raw: bytes, parse: Callable[[Any], Request]) -> Request:
    """Raises InvalidRequest."""
    if len(raw) <= IN_PLACE_BYTES:
        return parse(decoded(raw))
    return await asyncio.to_thread(lambda: parse(decoded(raw)))


def decoded(raw: bytes) -> Any:
    """Raises InvalidRequest."""
    if values(raw) > MAX_VALUES:
        raise InvalidRequest(f"The body holds more than {MAX_VALUES} values.", code="invalid_body")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest("The body is not valid JSON.", code="invalid_json") from error


def values(raw: bytes) -> int:
    """The number of commas and opening brackets outside of strings, or slightly more. Returns 0 if a quick count shows
    at most MAX_VALUES, and 2 * MAX_VALUES if there are too many quotes for an exact count."""
    if raw.count(b"[") + raw.count(b"{") + raw.count(b",") <= MAX_VALUES:
        return 0
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    if plain.count(b'"') > 4 * MAX_VALUES:
        return 2 * MAX_VALUES
    outside = b"".join(plain.split(b'"')[::2])
    return outside.count(b"[") + outside.count(b"{") + outside.count(b",")
