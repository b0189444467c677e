"""The ports of a run, kept by the runner: while a service restarts, no other process can take its port."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack

from operators.local.layout import LOOPBACK
from operators.local.process import ProcessSpec

_BACKLOG = 2048


class Sockets:
    """The listening sockets of a run. Call `close` at its end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._listening: dict[int, socket.socket] = {}

    def of(self, spec: ProcessSpec) -> Mapping[str, int]:
        """The descriptors for one service, by environment variable. Callers wait in the socket's queue while the
        service restarts. Raises OSError if a port is in use."""
        return {variable: self._of_port(port).fileno() for variable, port in spec.listens.items()}

    def close(self) -> None:
        self._stack.close()

    def _of_port(self, port: int) -> socket.socket:
        if port not in self._listening:
            self._listening[port] = self._stack.enter_context(socket.create_server((LOOPBACK, port), backlog=_BACKLOG))
        return self._listening[port]
