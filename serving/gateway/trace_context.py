"""The caller's trace context, which searches and engines get as it came: their spans are then of the caller's trace.

https://www.w3.org/TR/trace-context/
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_STATE = re.compile(r"[\x20-\x7e]{1,512}")
_NONE: Mapping[str, str] = MappingProxyType({})

# The headers of the present request.
passed_on: ContextVar[Mapping[str, str]] = ContextVar("trace_context", default=_NONE)


def headers_of(parent: str, state: str) -> Mapping[str, str]:
    """`parent` and `state` are the values of `traceparent` and `tracestate`, empty without one. Without a valid parent
    there is no context."""
    if not _PARENT.fullmatch(parent):
        return _NONE
    return {"traceparent": parent, "tracestate": state} if _STATE.fullmatch(state) else {"traceparent": parent}
