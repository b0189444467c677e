import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from operators.local.layout import LOOPBACK, free_port
from operators.local.process import ProcessSpec
from operators.local.sockets import Sockets


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    with contextlib.closing(Sockets()) as found:
        yield found


def _taken(port: int, *, shares: bool) -> bool:
    """Whether somebody else can listen there; `shares`: with every option that lets sockets share a port."""
    with socket.socket() as thief:
        if shares:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            thief.bind((LOOPBACK, port))
            thief.listen()
        except OSError:
            return True
    return False


@pytest.mark.parametrize("shares", [False, True])
def test_a_port_of_a_part_of_ours_is_held_while_the_part_restarts(sockets: Sockets, *, shares: bool) -> None:
    port = free_port()
    spec = ProcessSpec("part", ("true",), {}, listens={"QUIVER_PART_SOCKET": port})
    descriptors = sockets.of(spec)
    assert sockets.of(spec) == descriptors  # the same one for each run of the part
    assert _taken(port, shares=shares)
    with socket.socket(fileno=os.dup(descriptors["QUIVER_PART_SOCKET"])) as passed_on:
        assert passed_on.getsockname() == (LOOPBACK, port)


def test_a_port_in_use_is_said(sockets: Sockets, tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        spec = ProcessSpec("part", ("true",), {}, listens={"SOCKET": other.getsockname()[1]})
        with pytest.raises(OSError, match="in use"):
            sockets.of(spec)
