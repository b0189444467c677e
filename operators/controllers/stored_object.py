"""A stored object with the metadata of its store (pure)."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from contract.adapter import Decision
from contract.objects import AnyObject
from contract.resource import Key

O = TypeVar("O", bound=AnyObject, covariant=True)  # noqa: E741


@dataclass(frozen=True, eq=False)
class StoredObject(Generic[O]):
    """`version` changes with every change: stored objects with the same `uid` and `version` are equal."""

    item: O
    version: str
    uid: str
    deleting: bool = False
    finalizers: tuple[str, ...] = ()
    decision: Decision | None = None

    @property
    def key(self) -> Key:
        return self.item.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredObject) and (self.uid, self.version) == (other.uid, other.version)

    def __hash__(self) -> int:
        return hash((self.uid, self.version))
