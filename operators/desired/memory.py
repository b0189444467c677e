"""What was made of each adapter, made again only if the adapter changed: of thousands, one event changes one."""

from collections.abc import Callable
from typing import Generic, TypeVar

from contract.resource import Key

T = TypeVar("T")


class Memory(Generic[T]):
    """Values by adapter and role. A value stands for one object, by identity, and further facts, by equality."""

    def __init__(self) -> None:
        self._values: dict[Key, dict[str, tuple[object, object, T]]] = {}

    def recalled(self, key: Key, role: str, of: object, facts: object, make: Callable[[], T]) -> T:
        """The value of `role`. It is made again unless `of` is the same object as before, and `facts` are equal."""
        roles = self._values.setdefault(key, {})
        stored = roles.get(role)
        if stored is not None and stored[0] is of and stored[1] == facts:
            return stored[2]
        value = make()
        roles[role] = (of, facts, value)
        return value

    def forget(self, key: Key) -> None:
        self._values.pop(key, None)
