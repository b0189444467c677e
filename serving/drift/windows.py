"""What a tenant's traffic is compared on: a fixed reference, then disjoint current windows.

The first embeddings fill the reference. Later ones go to the current window, which keeps the newest
and never grows beyond the reference. A test takes the window whole, so no embedding is tested twice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.body import DIMENSIONS

Embeddings = NDArray[np.float32]


@dataclass(frozen=True)
class Windows:
    """`reference` and `current` are (n, 384) float32, oldest first; neither is ever written to."""

    reference: Embeddings
    current: Embeddings


def nothing() -> Embeddings:
    return np.empty((0, DIMENSIONS), np.float32)


def empty() -> Windows:
    return Windows(reference=nothing(), current=nothing())


def extended(windows: Windows, embeddings: Embeddings, *, reference_size: int) -> Windows:
    """The windows after `embeddings`, shape (n, 384), have arrived in this order."""
    room = max(reference_size - len(windows.reference), 0)
    reference = np.concatenate([windows.reference, embeddings[:room]]) if room else windows.reference
    current = np.concatenate([windows.current, embeddings[room:]])[-reference_size:].copy()
    return Windows(reference=reference, current=current)


def is_evidence(windows: Windows, *, reference_size: int, window_size: int) -> bool:
    """Whether there is enough to test: a full reference and at least `window_size` embeddings since."""
    return len(windows.reference) >= reference_size and len(windows.current) >= window_size


def without_current(windows: Windows) -> Windows:
    return Windows(reference=windows.reference, current=nothing())
