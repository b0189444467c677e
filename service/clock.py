"""The time of records, and ids in its order."""

import secrets
import threading
import time

_RANDOM_BITS = 48


def microseconds() -> int:
    """Since the epoch."""
    return time.time_ns() // 1_000


class _Ids:
    """Each is larger than the one before, also within a millisecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        milliseconds = time.time_ns() // 1_000_000
        with self._lock:
            self._last = max(self._last + 1, milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS))
            return self._last


_ids = _Ids()


def ordered_id() -> str:
    """24 hexadecimal digits: the milliseconds since the epoch, and chance. Later ids of a process are larger: lists are
    in the order of ids, and go on after a deleted item."""
    return f"{_ids.next():024x}"
