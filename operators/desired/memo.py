"""A cache of values made from adapters: one event changes one adapter of thousands."""

from collections.abc import Callable
from typing import Generic, TypeVar

from contract.resource import Key

T = TypeVar("T")


class Memo(Generic[T]):
    """Values by adapter and role. Each is valid for one object, by identity, and further facts, by equality."""

    def __init__(self) -> None:
        self._values: dict[Key, dict[str, tuple[object, object, T]]] = {}

    def get(self, key: Key, role: str, of: object, facts: object, make: Callable[[], T]) -> T:
        """The value of `role`; `make` is called unless `of` is the same object as before and `facts` are equal."""
        roles = self._values.setdefault(key, {})
        stored = roles.get(role)
        if stored is not None and stored[0] is of and stored[1] == facts:
            return stored[2]
        value = make()
        roles[role] = (of, facts, value)
        return value

    def forget(self, key: Key) -> None:
        self._values.pop(key, None)
