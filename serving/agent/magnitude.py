"""The size of an adapter's change to its base model (pure): finite weights can still overflow in the engine.

A LoRA adds (alpha / r) B A to a weight W. Trained adapters change W by a small part of itself: the demo's by 0.03 to
0.2 of its norm. A change of many times the norm, or factors far outside the trained range, causes infinities, which
spoil the engine's other requests too.
"""

import numpy as np
from numpy.typing import NDArray

from serving.agent.errors import RefusedError

# As a multiple of the Frobenius norm of the base's own matrix.
MAX_UPDATE = 16.0
# Limit for entries of A, and of B times the scale. Far above trained values, far below the largest float16 (65,504).
MAX_ENTRY = 1000.0

Matrix = NDArray[np.float32]


def check(module: str, a: Matrix, b: Matrix, scale: float, base_norm: float | None) -> float:
    """Returns the norm of the update. `a` is [rank, inputs], `b` is [outputs, rank]. Raises RefusedError."""
    for side, largest in (("A", _largest(a)), ("B", _largest(b) * scale)):
        if not largest <= MAX_ENTRY:
            raise RefusedError(
                "WeightsTooLarge",
                f"module {module} has a value of {largest:.3g} in {side} (B is scaled by alpha and rank); at most "
                f"{MAX_ENTRY:g} is served; train with a lower rate, or lower lora_alpha",
            )
    norm = _norm_of_product(a, b) * scale
    if base_norm and norm > MAX_UPDATE * base_norm:
        raise RefusedError(
            "UpdateTooLarge",
            f"module {module} changes its base matrix by {norm / base_norm:.3g} times that matrix's norm, over "
            f"{MAX_UPDATE:g}; train with a lower rate, or lower lora_alpha",
        )
    return norm


def _largest(matrix: Matrix) -> float:
    return float(np.abs(matrix).max())


def _norm_of_product(a: Matrix, b: Matrix) -> float:
    """The Frobenius norm of B A, from two matrices of rank x rank: |BA|² = tr(AᵀBᵀBA) = Σ (BᵀB) ∘ (AAᵀ)."""
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    return float(np.sqrt(max(0.0, np.sum((wide_b.T @ wide_b) * (wide_a @ wide_a.T)))))
