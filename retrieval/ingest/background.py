"""Work in a thread that does not delay the end of the process."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_background(work: Callable[[], T], name: str) -> "Future[T]":
    """Starts a daemon thread for the work; the future has its result or its exception."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # the reader of the result decides what it means
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
