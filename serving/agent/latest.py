"""A value that changes, and callers that wait for the next change."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value
        self.version = 0
        self._changed = asyncio.Event()

    def set(self, value: T) -> None:
        if value == self.value:
            return
        self.value = value
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def beyond(self, version: int, seconds: float) -> T:
        """The value once it is another than at `version`; after `seconds` as it is."""
        if self.version == version:
            changed = self._changed
            try:
                async with asyncio.timeout(seconds):
                    await changed.wait()
            except TimeoutError:
                pass
        return self.value
