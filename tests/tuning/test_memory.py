"""How much memory a process has had."""

import subprocess
import sys

_MEGABYTE = 1 << 20


def test_the_peak_is_that_of_the_process_alone() -> None:
    """The kernel hands the peak of a process to what it starts as `ru_maxrss`."""
    child = "from tuning import memory; print(memory.peak())"
    parent = (
        f"import subprocess, sys; big = b'x' * {400 * _MEGABYTE}; subprocess.run([sys.executable, '-c', {child!r}])"
    )
    ended = subprocess.run([sys.executable, "-c", parent], check=True, capture_output=True, text=True)
    assert _MEGABYTE < int(ended.stdout) < 200 * _MEGABYTE
