"""Random Fourier features: the squared distance of two samples' mean features estimates their maximum mean discrepancy.

Source: Rahimi and Recht, "Random Features for Large-Scale Kernel Machines", NIPS 2007, for the Gaussian kernel.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WIDTH = 96
# Of the kernel, for vectors of length one: questions of one tenant are about this far apart.
BANDWIDTH = 1.2
_SEED = 20_261_130  # the features are the same in every process and for ever: stored sums depend on them


class Features:
    def __init__(self, dimensions: int) -> None:
        rng = np.random.default_rng(_SEED)
        self._frequencies = rng.standard_normal((dimensions, WIDTH)) / BANDWIDTH
        self._phases = rng.uniform(0, 2 * np.pi, WIDTH)

    def of(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """Shape (n, WIDTH) for vectors (n, dimensions), of any lengths above 0."""
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        values = np.sqrt(2 / WIDTH) * np.cos(units @ self._frequencies + self._phases)
        return np.asarray(values, np.float32)


@lru_cache(maxsize=4)
def features_of(dimensions: int) -> Features:
    """Those of vectors of this size: a platform has one embedder, and for a while another one."""
    return Features(dimensions)
