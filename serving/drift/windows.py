"""The data of one signal of a tenant: a fixed reference, then disjoint current windows.

The first samples fill the reference. Later ones go to the current window, which keeps the newest and never grows larger
than the reference. A test consumes the window, so no sample is tested twice.
"""

from dataclasses import dataclass

import numpy as np

from serving.drift.signal import Samples


@dataclass(frozen=True)
class Windows:
    """`reference` and `current` are (n, width) float32, oldest first; neither is ever written to."""

    reference: Samples
    current: Samples


def empty(width: int) -> Windows:
    nothing = np.empty((0, width), np.float32)
    return Windows(reference=nothing, current=nothing)


def extended(windows: Windows, samples: Samples, *, reference_size: int) -> Windows:
    """The windows after `samples`, shape (n, width), have arrived in this order."""
    room = max(reference_size - len(windows.reference), 0)
    reference = np.concatenate([windows.reference, samples[:room]]) if room else windows.reference
    current = np.concatenate([windows.current, samples[room:]])[-reference_size:].copy()
    return Windows(reference=reference, current=current)


def is_evidence(windows: Windows, *, reference_size: int, window_size: int) -> bool:
    """True if a test is possible: the reference is full, and at least `window_size` samples came after it."""
    return len(windows.reference) >= reference_size and len(windows.current) >= window_size


def without_current(windows: Windows) -> Windows:
    return Windows(reference=windows.reference, current=windows.current[:0])
