"""Vectors of texts, one a row. Pure."""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def of_length_one(vectors: NDArray[np.floating]) -> Vectors:
    """Each row divided by its length. Raises ValueError for a row without a direction."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise ValueError("a vector has no direction")
    return np.asarray(vectors / lengths, np.float32)
