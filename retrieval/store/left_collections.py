"""The collections that embedders of other dimensions have left, by tenant."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from retrieval.store.names import owner_of

AGE_S = 1.0  # of the list; the only process that makes collections is the one that writes


class LeftCollections:
    """Thread-safe. Rows in them are found by their words, and deleted, until they have been embedded again."""

    def __init__(
        self, dimension: int, listed: Callable[[], Sequence[str]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._dimension, self._listed, self._clock, self._lock = dimension, listed, clock, Lock()
        self._at = -AGE_S
        self._names: Mapping[str, Sequence[str]] | None = None

    def of(self, tenant: str) -> Sequence[str]:
        """Blocks for a caller a second, who lists them; the others go on with the list before."""
        names = self._names
        if self._is_due() or names is None:
            names = self._names = self._grouped()
        return names.get(tenant, ())

    def _is_due(self) -> bool:
        with self._lock:
            now = self._clock()
            if now - self._at < AGE_S:
                return False
            self._at = now
            return True

    def _grouped(self) -> Mapping[str, Sequence[str]]:
        names: dict[str, list[str]] = defaultdict(list)
        for name in self._listed():
            owner = owner_of(name)
            if owner is not None and owner.dimension != self._dimension:
                names[owner.tenant].append(name)
        return dict(names)
