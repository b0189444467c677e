"""Finds near copies among rows: MinHash over five characters, and the true overlap of what it finds (pure).

Broder, On the resemblance and containment of documents, 1997. Characters, not words: a Korean particle makes another
word.
"""

import unicodedata
import zlib
from collections.abc import Iterable, Sequence, Set

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5  # characters
BANDS, ROWS = 21, 6  # rows of texts with an overlap of 0.8 meet in a band with 99.8 %, with 0.5 with 28 %
NEAR = 0.8  # of the shingles of both
_PRIME = (1 << 31) - 1
_SEED = 7


def groups(texts: Sequence[str], near: float = NEAR) -> list[int]:
    """A number for each text; texts with the same number are near copies, also by way of others."""
    shingles = [_shingles(text) for text in texts]
    parents = list(range(len(texts)))
    for one, other in _candidates(shingles):
        first, second = _root(parents, one), _root(parents, other)
        if first != second and overlap(shingles[one], shingles[other]) >= near:
            parents[max(first, second)] = min(first, second)
    return [_root(parents, index) for index in range(len(texts))]


def overlap(one: Set[int], other: Set[int]) -> float:
    """The Jaccard index."""
    return len(one & other) / len(one | other) if one or other else 1.0


def normal(text: str) -> str:
    """In lower case, with single spaces; digits stay, as another number is another question."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _shingles(text: str) -> Set[int]:
    shown = normal(text)
    parts = {shown[at : at + SHINGLE] for at in range(max(1, len(shown) - SHINGLE + 1))}
    return frozenset(zlib.crc32(part.encode("utf-8", "replace")) for part in parts)


def _candidates(shingles: Sequence[Set[int]]) -> Iterable[tuple[int, int]]:
    """Each text with the first text of its band."""
    random = np.random.default_rng(_SEED)
    factors, terms = random.integers(1, _PRIME, (2, BANDS * ROWS), dtype=np.int64)
    first: list[dict[bytes, int]] = [{} for _ in range(BANDS)]
    for index, hashes in enumerate(shingles):
        signature = _signature(hashes, factors, terms)
        for band in range(BANDS):
            key = signature[band * ROWS : (band + 1) * ROWS].tobytes()
            if (before := first[band].setdefault(key, index)) != index:
                yield before, index


def _signature(hashes: Set[int], factors: NDArray[np.int64], terms: NDArray[np.int64]) -> NDArray[np.int64]:
    values = np.fromiter(hashes, np.int64, len(hashes)) % _PRIME
    permuted = (values[:, None] * factors[None, :] + terms[None, :]) % _PRIME
    smallest: NDArray[np.int64] = permuted.min(axis=0)
    return smallest


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index
