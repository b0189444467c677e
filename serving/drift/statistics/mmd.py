"""The kernel two-sample test: do two samples of vectors come from one distribution?

Source: Gretton, Borgwardt, Rasch, Schölkopf, Smola, "A Kernel Two-Sample Test", JMLR 13 (2012): the
unbiased estimate of the squared maximum mean discrepancy (Lemma 6), the median heuristic for the
bandwidth and the null distribution by permutation. The p-value counts the observed split among its
permutations (Phipson and Smyth 2010), so P(p <= alpha) <= alpha holds at every sample size, as long
as the observations of both samples are exchangeable when nothing drifts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating]
Matrix = NDArray[np.float64]

BLOCK = 1_000  # permutations evaluated by one matrix product: bounds the memory of a test
ROUNDING = 1e-12  # results of equal splits or points may differ by this: products sum in varying order


@dataclass(frozen=True)
class Outcome:
    """The result of a test: `mmd2` may be below 0, as the estimate is unbiased; `p_value` is in (0, 1]."""

    mmd2: float
    p_value: float


def mmd_test(reference: Vectors, current: Vectors, *, permutations: int, rng: np.random.Generator) -> Outcome:
    """Test samples of shapes (m, d) and (n, d), each of at least 2 finite vectors.

    The smallest p-value it can give is 1 / (permutations + 1). Time and memory grow with (m + n)².
    """
    m, n = len(reference), len(current)
    kernel = rbf_kernel(np.concatenate([reference, current]).astype(np.float64))
    observed = mmd2_of_splits(kernel, np.repeat([[1.0], [0.0]], [m, n], axis=0))[0]
    exceeding = sum(
        int(np.count_nonzero(mmd2_of_splits(kernel, split) >= observed - ROUNDING))
        for split in random_splits(m, n, permutations, rng)
    )
    return Outcome(mmd2=float(observed), p_value=(exceeding + 1) / (permutations + 1))


def rbf_kernel(points: Matrix) -> Matrix:
    """The kernel of all pairs of (N, d) points, shape (N, N), with a zero diagonal: no point is paired with itself.

    The bandwidth is the median distance between two different points, so it does not depend on the split.
    """
    squares = np.einsum("ij,ij->i", points, points)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * (points @ points.T), 0.0)
    apart = distances[np.triu_indices(len(points), k=1)]
    apart = apart[apart > ROUNDING * squares.max()]
    kernel: Matrix = np.exp(-distances / (2 * (np.median(apart) if apart.size else 1.0)))
    np.fill_diagonal(kernel, 0.0)
    return kernel


def mmd2_of_splits(kernel: Matrix, splits: Matrix) -> Matrix:
    """The unbiased MMD² of each split, shape (P,). A column of `splits`, shape (N, P), is 1 for the first sample."""
    m = splits[:, 0].sum()
    n = len(splits) - m
    within_first = np.einsum("ij,ij->j", splits, kernel @ splits)
    from_first = kernel.sum(axis=1) @ splits
    across = from_first - within_first
    within_second = kernel.sum() - from_first - across
    mmd2: Matrix = within_first / (m * (m - 1)) + within_second / (n * (n - 1)) - 2 * across / (m * n)
    return mmd2


def random_splits(m: int, n: int, count: int, rng: np.random.Generator) -> Iterator[Matrix]:
    """`count` uniformly random splits of m + n points into m and n, in blocks of columns."""
    for start in range(0, count, BLOCK):
        rows = min(BLOCK, count - start)
        yield rng.permuted(np.tile(np.repeat([1.0, 0.0], [m, n]), (rows, 1)), axis=1).T
