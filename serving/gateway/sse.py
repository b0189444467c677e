"""Server-sent events as an engine streams them (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from collections.abc import AsyncIterator
from typing import Any

import orjson

END = b"\n\n"
DONE = b"data: [DONE]\n\n"
_PREFIX = b"data: "
# How an engine reports a failure within a stream. A model's text cannot contain this, because its quotes are escaped.
_ERROR = b'data: {"error"'


async def blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yields blocks of whole events as they arrive. An incomplete event at the end is dropped."""
    rest = b""
    async for chunk in chunks:
        rest += chunk
        whole, separator, rest = rest.rpartition(END)
        if separator:
            yield whole + separator


def events(block: bytes) -> list[bytes]:
    return [event + END for event in block.split(END) if event]


def fails(block: bytes) -> bool:
    return _ERROR in block


def data(event: bytes) -> Any:
    """The JSON of an event; None for the end mark and for comments."""
    if not event.startswith(_PREFIX) or event == DONE:
        return None
    return orjson.loads(event[len(_PREFIX) :])


def event(value: Any) -> bytes:
    return _PREFIX + orjson.dumps(value) + END
