"""An immutable mapping of thousands of keys, of which changed copies are cheap.

A copy shares all shards but those of the changed keys, and two copies are compared by looking into the shards that they
do not share.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

SHARDS = 256  # a change of one of 10,000 keys copies 40 of them


class ShardedMap(Mapping[K, V], Generic[K, V]):
    __slots__ = ("_length", "_shards")

    def __init__(self, items: Mapping[K, V] | None = None) -> None:
        shards: list[dict[K, V]] = [{} for _ in range(SHARDS)]
        for key, value in (items or {}).items():
            shards[hash(key) % SHARDS][key] = value
        self._shards = shards
        self._length = sum(map(len, shards))

    def __getitem__(self, key: K) -> V:
        return self._shards[hash(key) % SHARDS][key]

    def __iter__(self) -> Iterator[K]:
        return chain.from_iterable(self._shards)

    def __len__(self) -> int:
        return self._length

    def updated(self, changes: Mapping[K, V | None]) -> "ShardedMap[K, V]":
        """With these values; None removes a key."""
        shards = [*self._shards]
        for number in {hash(key) % SHARDS for key in changes}:
            shards[number] = {**shards[number]}
        for key, value in changes.items():
            shard = shards[hash(key) % SHARDS]
            if value is None:
                shard.pop(key, None)
            else:
                shard[key] = value
        copy = ShardedMap.__new__(ShardedMap)
        copy._shards, copy._length = shards, sum(map(len, shards))
        return copy

    def difference(self, other: "ShardedMap[K, V]") -> set[K]:
        """The keys with different values, or in one of the two alone."""
        pairs = zip(self._shards, other._shards, strict=True)
        return {key for one, two in pairs if one is not two for key in _different(one, two)}


def _different(one: Mapping[K, V], two: Mapping[K, V]) -> Iterator[K]:
    return (key for key in one.keys() | two.keys() if key not in one or key not in two or one[key] != two[key])
