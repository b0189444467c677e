"""The collections with a tenant's rows."""

import time
from collections.abc import Callable, Sequence
from threading import Lock

from retrieval.store.names import Owner, Tenancy, collection_of, owner_of, shared_collection

AGE_S = 1.0  # of the list; the only process that makes collections is the one that writes


class TenantCollections:
    """Thread-safe.

    New rows go to one collection, by tenancy and size of vectors. Another tenancy or an embedder with other vectors may
    have left rows in others: these are found and deleted, too, until they have been written again.
    """

    def __init__(
        self,
        dimension: int,
        tenancy: Tenancy,
        listed: Callable[[], Sequence[str]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dimension, self._tenancy, self._listed = dimension, tenancy, listed
        self._clock, self._lock = clock, Lock()
        self._at = -AGE_S
        self._owners: dict[str, Owner] | None = None

    def current(self, tenant: str) -> str:
        """Where new rows go, whether or not it exists."""
        if self._tenancy is Tenancy.SHARED:
            return shared_collection(self._dimension)
        return collection_of(tenant, self._dimension)

    def left(self, tenant: str) -> Sequence[str]:
        """All others. Blocks for a caller a second, who lists them; the others go on with the list before."""
        owners = self._owners
        if self._is_due() or owners is None:
            owners = self._owners = {name: owner for name in self._listed() if (owner := owner_of(name))}
        current = self.current(tenant)
        sizes = {owner.dimension for owner in owners.values()}
        names = [name for size in sizes for name in (collection_of(tenant, size), shared_collection(size))]
        return [name for name in names if name in owners and name != current]

    def of(self, tenant: str) -> Sequence[str]:
        """The current one, and earlier ones."""
        return [self.current(tenant), *self.left(tenant)]

    def comparable(self, tenant: str) -> Sequence[str]:
        """Those of vectors of this size."""
        return [name for name in self.of(tenant) if (owner := owner_of(name)) and owner.dimension == self._dimension]

    def forget(self) -> None:
        """The list is out of date."""
        self._owners = None

    def _is_due(self) -> bool:
        with self._lock:
            now = self._clock()
            if now - self._at < AGE_S:
                return False
            self._at = now
            return True
