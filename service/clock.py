"""The time of records, and ids in its order."""

import secrets
import time

_RANDOM_BYTES = 6


def microseconds() -> int:
    """Since the epoch."""
    return time.time_ns() // 1_000


def ordered_id() -> str:
    """24 hexadecimal digits: the milliseconds since the epoch, and chance. Later ids are larger: lists are in the order
    of ids, and go on after a deleted item."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(_RANDOM_BYTES)}"
