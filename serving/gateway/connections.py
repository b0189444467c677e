"""Limits on the number and the duration of callers' connections, because any caller may be hostile.

uvicorn limits neither the time nor the size of headers, nor the time of a stalled reader; `RawRequest.body` limits a
body's time. Descriptors are reserved for the internal port: callers cannot use up those of probes and metrics.
"""

import asyncio
import resource
from asyncio.events import TimerHandle
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# nginx's limit, and more than any of our clients sends.
MAX_HEADER_BYTES = 32 * 1024
# Pipelined requests, sent before the answer to an earlier one; they are all parsed at once.
MAX_WAITING = 8
MAX_DROPPED_BYTES = 256 * 1024
# For files, the internal port, the sidecar and watches.
RESERVED_DESCRIPTORS = 256
# A request needs its caller's connection and one to an engine.
DESCRIPTORS_PER_CALLER = 2


@dataclass
class Limits:
    """Limits of the public port, and its open connections. Times in seconds."""

    public_port: int
    connections: int
    connections_per_address: int
    header_s: float
    write_s: float
    idle_drain_s: float = 0.0
    _open: int = 0
    _by_address: dict[str, int] = field(default_factory=dict)

    def has_room_for(self, address: str) -> bool:
        return self._open < self.connections and self._by_address.get(address, 0) < self.connections_per_address

    def add(self, address: str) -> None:
        self._open += 1
        self._by_address[address] = self._by_address.get(address, 0) + 1

    def remove(self, address: str) -> None:
        """Undoes one `add`. Addresses without connections are forgotten."""
        self._open -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def raise_descriptor_limit() -> int:
    """Raises this process's limit of open descriptors to its hard limit, and returns the new limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def room(descriptors: int) -> int:
    """How many callers' connections this many descriptors allow; at least 1."""
    return max(1, (descriptors - RESERVED_DESCRIPTORS) // DESCRIPTORS_PER_CALLER)


class Connection(HttpToolsProtocol):
    """One connection; all connections share `limits`."""

    def __init__(self, *args: Any, limits: Limits, **named: Any) -> None:
        super().__init__(*args, **named)
        self._limits = limits
        self._header_bytes = 0  # as received, until the headers are complete
        self._field_bytes = 0  # as parsed
        self._dropped_bytes = 0
        self._in_headers = True
        self._header_timer: TimerHandle | None = None
        self._write_timer: TimerHandle | None = None
        self._is_leaving = False  # the server stops
        self._counted: str | None = None  # the address; "" for a caller that was gone before it was accepted

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if self.server is None or self.server[1] != self._limits.public_port:
            return
        address = self.client[0] if self.client else ""
        if not self._limits.has_room_for(address):
            self._refuse(b"503 Service Unavailable", b"Too many connections; try again.")
            return
        self._counted = address
        self._limits.add(address)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        if self._counted is not None:
            self._limits.remove(self._counted)
            self._counted = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        began_in_headers = self._in_headers
        super().data_received(data)
        if not self._in_headers or self.transport.is_closing():
            return
        if self._header_timer is None:
            self._await_headers()
        if began_in_headers:  # otherwise `data` may be mostly the end of a body
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(b"431 Request Header Fields Too Large", b"Send smaller headers.")

    def on_message_begin(self) -> None:
        self._in_headers, self._header_bytes, self._field_bytes, self._dropped_bytes = True, 0, 0, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._field_bytes += len(name) + len(value)
        if self._field_bytes > MAX_HEADER_BYTES:
            raise ValueError("headers too large")  # uvicorn answers 400, and closes
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MAX_WAITING:
            raise ValueError("too many pipelined requests")
        self._in_headers = False
        if self._header_timer:
            self._header_timer.cancel()
            self._header_timer = None
        super().on_headers_complete()
        if self._is_leaving:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """Keeps an idle connection of a caller open for a while, because a request may be on its way: closing the
        connection would lose it. Its answer is the last one, and says so."""
        if self._counted is None or not self._limits.idle_drain_s:
            super().shutdown()
            return
        self._is_leaving = True
        if self._is_idle:
            self.loop.call_later(self._limits.idle_drain_s, self._close_if_idle)
        else:
            self.cycle.keep_alive = False

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_if_idle(self) -> None:
        if self._is_idle:
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        """Reads and drops the rest of a refused body up to a limit, so that its sender receives the refusal."""
        if self.cycle.response_complete:
            self._dropped_bytes += len(body)
            if self._dropped_bytes > MAX_DROPPED_BYTES:
                self.transport.close()
        super().on_body(body)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._limits.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        if self._write_timer:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()

    def _await_headers(self) -> None:
        self._header_timer = self.loop.call_later(self._limits.header_s, self._headers_late)

    def _headers_late(self) -> None:
        if self.cycle and not self.cycle.response_complete:  # these are the headers of the next request
            self._await_headers()
        else:
            self._refuse(b"408 Request Timeout", b"The headers did not come in time.")

    @property
    def _answering(self) -> bool:
        """A part of an answer has been sent."""
        return self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete

    def send_400_response(self, msg: str) -> None:
        """A refusal is never written into a running answer."""
        if self._answering:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _refuse(self, status: bytes, text: bytes) -> None:
        if self._answering:
            self.transport.close()
            return
        head = b"content-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\nretry-after: 1\r\n"
        self.transport.write(b"HTTP/1.1 " + status + b"\r\n" + head % len(text) + b"\r\n" + text)
        self.transport.close()

    def _stop_timers(self) -> None:
        for timer in (self._header_timer, self._write_timer):
            if timer:
                timer.cancel()
        self._header_timer = self._write_timer = None
