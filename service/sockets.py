"""The socket that a service listens on."""

import socket


def listening(host: str, port: int, descriptor: int | None = None) -> socket.socket:
    """A new one, or one that whoever started this process holds and has passed on: nobody else can take its port while
    the process restarts. Raises OSError where the port is in use."""
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    bound = socket.create_server((host, port), backlog=2048)
    bound.set_inheritable(True)
    return bound
