"""BM25 scores as the inner product of two sparse vectors. Pure.

The document's vector holds term frequencies, the query's vector the rarity of each term in the searched knowledge
bases. So a score does not depend on other documents in the same segment, shard or collection. Milvus' own BM25 does:
Milvus Lite counts documents by segment, which ranks recent edits too low, and Milvus by shard, across tenants.
"""

import json
import math
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Self

K1, B = 1.2, 0.75  # the usual saturation and length correction
# Constant, so that stored vectors never need an update. It is above the average of passages, so length counts little
# and a repeated term adds little: this ranks better than the true average.
AVERAGE_TERMS = 200
# Limit of the JSON with term frequencies, which is one field of the store; terms beyond it count as rare.
FREQUENT_BYTES = 60_000
_NUMBER_BYTES = 10  # of JSON for each term, beside the term itself

Sparse = dict[int, float]

_NOTHING: Sparse = {0: 1e-6}  # the vector of a text without a term: Milvus requires at least one entry


@dataclass(frozen=True)
class Statistics:
    """The number of counted chunks, and for each frequent term the number of chunks with it."""

    chunks: int = 0
    frequent: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, chunks: Collection[Iterable[str]]) -> Self:
        """Counts the chunks of each term. Terms of a single chunk, and the rarest over the limit, are left out."""
        counted = Counter(term for terms in chunks for term in set(terms)).most_common()
        ends = accumulate(len(term.encode()) + _NUMBER_BYTES for term, _ in counted)
        kept = (item for item, end in zip(counted, ends, strict=True) if item[1] > 1 and end <= FREQUENT_BYTES)
        return cls(len(chunks), dict(kept))

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        total: Counter[str] = Counter()
        chunks = 0
        for part in parts:
            chunks += part.chunks
            total.update(part.frequent)
        return cls(chunks, dict(total))

    def rarity(self, term: str) -> float:
        """Inverse document frequency: above 0, largest for infrequent terms."""
        holding = min(self.chunks, self.frequent.get(term, 0))
        return math.log(1 + (self.chunks - holding + 0.5) / (holding + 0.5))

    @property
    def largest_rarity(self) -> float:
        """The rarity of a term in no chunk."""
        return math.log(1 + (self.chunks + 0.5) / 0.5)

    def rarities(self, terms: Iterable[str]) -> dict[str, float]:
        return {term: self.rarity(term) for term in terms}

    def to_json(self) -> str:
        return json.dumps([self.chunks, self.frequent], ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(*json.loads(text))


def document_vector(terms: Sequence[str]) -> Sparse:
    """The weight of each term in a chunk, by its frequency and the length of the chunk."""
    longer = K1 * (1 - B + B * len(terms) / AVERAGE_TERMS)
    counted = Counter(terms).items()
    return {_dimension(term): number * (K1 + 1) / (number + longer) for term, number in counted} or _NOTHING


def query_vector(rarities: Mapping[str, float]) -> Sparse:
    """The weight of each term of a question: its rarity."""
    return {_dimension(term): rarity for term, rarity in rarities.items()}


def best_score(rarities: Mapping[str, float]) -> float:
    """The limit of the scores of a question with these terms; never reached."""
    return (K1 + 1) * sum(rarities.values())


def _dimension(term: str) -> int:
    """The dimension of a term, 1 to 2^32 - 2. Two terms share one with a probability of 1 in 4 thousand million."""
    return 1 + zlib.crc32(term.encode()) % (2**32 - 2)
