"""One run to a directory."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from operators.local.layout import Layout


class AlreadyRunningError(Exception):
    """Another run has this directory."""


@contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """Two runs on one directory would fight over its store and its snapshot. Raises AlreadyRunningError."""
    layout.logs.mkdir(parents=True, exist_ok=True)
    with (layout.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(f"{layout.root} is run by another quiver up; stop that one first") from None
        yield
