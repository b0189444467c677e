"""Listening sockets."""

import socket


def listening(host: str, port: int, descriptor: int | None = None) -> socket.socket:
    """A new socket, or the parent's by its `descriptor`: the parent keeps the port while the process restarts. Raises
    OSError if the port is in use."""
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    bound = socket.create_server((host, port), backlog=2048)
    bound.set_inheritable(True)
    return bound
