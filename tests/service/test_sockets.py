import socket

import pytest

from service.sockets import listening


def test_a_port_in_use_is_said_at_once() -> None:
    with listening("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        listening("127.0.0.1", taken.getsockname()[1])


def test_a_socket_that_was_passed_on_is_the_same_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        number = held.getsockname()[1]
        with listening("127.0.0.1", 0, held.detach()) as passed:
            assert passed.getsockname()[1] == number
