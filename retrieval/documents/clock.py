"""The time of records."""

import time


def microseconds() -> int:
    """Since the epoch."""
    return time.time_ns() // 1_000
